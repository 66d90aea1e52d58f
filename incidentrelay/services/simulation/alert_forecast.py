"""Forecasts how alerts continue if no one reacts, by dry-running their plans."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from operator import attrgetter

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import AlertStatus, TargetKind
from incidentrelay.domain.escalation.plan import Plan
from incidentrelay.domain.intake.state import AlertState, IntakeBatch
from incidentrelay.domain.silences.coverage import list_partial_silences
from incidentrelay.models import Alert, Rotation
from incidentrelay.services.alerts import upcoming
from incidentrelay.services.escalation import runner as escalation_runner
from incidentrelay.services.escalation.plan_run import SILENCE, PlanRun
from incidentrelay.services.escalation.route_facts import RouteFacts
from incidentrelay.services.intake import paging
from incidentrelay.services.outbox.queue import AlertSubject
from incidentrelay.services.recipients import directory as directories
from incidentrelay.services.recipients.directory import Directory
from incidentrelay.services.simulation.forecast import (
    AlertForecast,
    CoveringSilence,
    ForecastStep,
)
from incidentrelay.services.simulation.upcoming_pages import (
    describe_plan,
    describe_steps,
    username_of,
)

MOST_STEPS = 20
HORIZON = timedelta(hours=24)
# Runs that notify no one are not reported as steps, but must be run too.
_MOST_RUNS = 5 * MOST_STEPS


@dataclass(frozen=True, slots=True)
class _Stage:
    """Everything needed to run the plans of one team."""

    at: datetime
    team_id: int
    people: Directory
    rotations: Mapping[int, str] = field(default_factory=dict)

    def covering(self, subject: AlertSubject) -> CoveringSilence | None:
        cover = self.people.coverage(self.team_id, subject.signal_labels, self.at)
        return CoveringSilence(cover.ids[0], cover.end) if cover else None

    def partial_silences(self, subject: AlertSubject) -> tuple[int, ...]:
        silences = self.people.silences.get(self.team_id, ())
        return tuple(list_partial_silences(silences, subject.signal_labels, self.at))


def forecast_alerts(
    session: Session,
    facts: RouteFacts,
    batch: IntakeBatch,
    alerts: Iterable[AlertState],
    at: datetime,
) -> dict[int, AlertForecast]:
    """Forecast each open alert of the batch (all with ids), by alert id.

    Read only; the number of statements does not depend on the number of alerts.
    """
    beginning = paging.start_plans(session, facts, batch, at)
    going = {
        each.id: each for each in alerts if each.id and each.status is not AlertStatus.RESOLVED
    }
    rows = escalation_runner.load_alerts(session, going.keys() - beginning.plays.keys())
    plans = {row.id: Plan.from_json(row.plan) for row in rows if row.plan}
    all_plans = [*plans.values(), *(plan_run.plan for plan_run in beginning.plays.values())]
    rotations = _rotation_names(session, all_plans)
    stage = _Stage(at, facts.route.team_id, beginning.people, rotations)
    found = {
        alert_id: _begun(stage, paging.subject_of(going[alert_id], facts), plan_run)
        for alert_id, plan_run in beginning.plays.items()
        if alert_id in going
    }
    people = directories.load_directory(
        session,
        plans.values(),
        {facts.route.team_id},
        now=at,
        user_ids=[row.assignee_id for row in rows],
    )
    stage = replace(stage, people=people)
    for row in rows:
        if row.id in plans:
            subject = paging.subject_of(going[row.id], facts)
            found[row.id] = _running(stage, subject, row, plans[row.id])
    return found


def _begun(stage: _Stage, subject: AlertSubject, plan_run: PlanRun) -> AlertForecast:
    """Forecast an alert whose plan starts with ``plan_run``."""
    subject = replace(subject, assignee_id=plan_run.assignee_id)
    progress = upcoming.progress_after(plan_run)
    runs = upcoming.run_ahead(
        subject, plan_run.plan, progress, stage.people, plan_run.quiet_until or stage.at
    )
    first = [] if plan_run.quiet_until else list(_steps(stage, stage.at, plan_run))
    steps, more = _cut(stage, first, runs)
    return AlertForecast(
        plan=describe_plan(plan_run.plan, stage.rotations, running=False),
        silence=stage.covering(subject) if plan_run.quiet_until else None,
        partial_silences=stage.partial_silences(subject),
        assignee=username_of(stage.people, plan_run.assignee_id),
        steps=steps,
        more=more,
    )


def _running(stage: _Stage, subject: AlertSubject, row: Alert, plan: Plan) -> AlertForecast:
    """Forecast an alert whose plan is already running."""
    ahead = upcoming.next_steps(row)
    forecast = AlertForecast(
        plan=describe_plan(plan, stage.rotations, running=True),
        silence=stage.covering(subject) if row.quiet_reason == SILENCE else None,
        partial_silences=stage.partial_silences(subject) if ahead.before is None else (),
        assignee=username_of(stage.people, row.assignee_id),
        before=ahead.before,
    )
    if ahead.progress is None:
        return forecast
    runs = upcoming.run_ahead(subject, plan, ahead.progress, stage.people, ahead.begin(stage.at))
    steps, more = _cut(stage, [], runs)
    return replace(forecast, steps=steps, more=more)


def _steps(stage: _Stage, at: datetime, plan_run: PlanRun) -> Iterator[ForecastStep]:
    return describe_steps(at, plan_run, stage.people, stage.rotations)


def _cut(
    stage: _Stage, first: Sequence[ForecastStep], runs: Iterable[tuple[datetime, PlanRun]]
) -> tuple[tuple[ForecastStep, ...], bool]:
    """The reported steps, and whether the plan continues after them."""
    steps = list(first)
    for number, (at, plan_run) in enumerate(runs):
        if number == _MOST_RUNS or at > stage.at + HORIZON or len(steps) >= MOST_STEPS:
            # Delayed notifications may fall after the last step that is simulated.
            return _sorted([step for step in steps if step.at <= at]), True
        steps.extend(_steps(stage, at, plan_run))
    return _sorted(steps), len(steps) > MOST_STEPS


def _sorted(steps: Sequence[ForecastStep]) -> tuple[ForecastStep, ...]:
    return tuple(sorted(steps, key=attrgetter("at"))[:MOST_STEPS])


def _rotation_names(session: Session, plans: Iterable[Plan]) -> dict[int, str]:
    """The names of the rotations that steps page, by id."""
    ids = {
        target.id
        for plan in plans
        for step in plan.steps
        for target in step.targets
        if target.kind is TargetKind.ON_CALL
    }
    query = select(Rotation.id, Rotation.name).where(Rotation.id.in_(ids))
    return dict(session.execute(query).all()) if ids else {}
