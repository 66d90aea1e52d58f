"""Predicts what happens to an alert if no one reacts, by dry-running its plan."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from operator import attrgetter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from incidentrelay.domain.enums import AlertStatus, DeliveryState, EventKind, NotificationKind
from incidentrelay.domain.escalation import engine
from incidentrelay.domain.escalation.plan import Plan, Progress
from incidentrelay.domain.text import join_words
from incidentrelay.models import Alert, Notification
from incidentrelay.services.escalation import runner as escalation_runner
from incidentrelay.services.escalation.plan_run import (
    SILENCE,
    PlanRun,
    covering_silences,
    run_plan,
)
from incidentrelay.services.escalation.signal_labels import load_silenceable_labels
from incidentrelay.services.outbox.queue import AlertSubject
from incidentrelay.services.recipients import contact_methods as ways
from incidentrelay.services.recipients import directory as directories
from incidentrelay.services.recipients.directory import Directory

MOST_STEPS = 4

_VERBS: Mapping[NotificationKind, str] = {
    NotificationKind.PAGE: "page",
    NotificationKind.REMINDER: "remind",
    NotificationKind.ESCALATION: "escalate to",
    NotificationKind.FALLBACK: "notify the fallback contact,",
}
_REMARKS: Mapping[EventKind, str] = {
    EventKind.STEP_SKIPPED: "a step is skipped",
    EventKind.STEP_WAITS: "nobody is on call, and the plan waits for the next shift",
    EventKind.ESCALATION_EXHAUSTED: "the plan ends",
}
_REMARKED = _REMARKS.keys() | {EventKind.NOBODY_ON_CALL}


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """``text`` follows a time: "remind Anna Larsen"."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class NextSteps:
    """How an alert continues: first ``before``, then its plan from ``progress``.

    ``before`` has to pass before the plan runs. ``progress`` is None if the plan does
    not run on its own.
    """

    before: PlannedStep | None = None
    progress: Progress | None = None

    def begin(self, now: datetime) -> datetime:
        """The earliest time at which anything can happen."""
        return max(now, self.before.at) if self.before else now


def next_steps(alert: Alert) -> NextSteps:
    """How the alert continues from its current state."""
    if not alert.plan or alert.status is AlertStatus.RESOLVED:
        return NextSteps()
    if alert.status is AlertStatus.ACKNOWLEDGED:
        again = "the acknowledgement runs out, and the plan starts again"
        return NextSteps(PlannedStep(alert.wake_at, again) if alert.wake_at else None)
    if alert.quiet_until is None:
        return NextSteps(progress=Progress.from_json(alert.progress))
    over = "silence" if alert.quiet_reason == SILENCE else "snooze"
    before = PlannedStep(alert.quiet_until, f"the {over} is over, and the plan starts again")
    return NextSteps(before, engine.start(Plan.from_json(alert.plan), alert.quiet_until))


def planned_steps(session: Session, alert: Alert, now: datetime) -> list[PlannedStep]:
    """The next steps, soonest first. The alert's team must be loaded.

    Runs with nothing to report are omitted. The number of statements does not depend on
    the length of the plan.
    """
    ahead = next_steps(alert)
    steps = [ahead.before] if ahead.before else []
    if ahead.progress is None:
        return steps
    plan = Plan.from_json(alert.plan)
    people = directories.load_directory(
        session, [plan], {alert.team_id}, now=now, user_ids=[alert.assignee_id]
    )
    labels = load_silenceable_labels(session, [alert], people)
    subject = escalation_runner.subject_of(alert, signal_labels=labels.get(alert.id))
    plays = run_ahead(subject, plan, ahead.progress, people, ahead.begin(now))
    for at, run in islice(plays, MOST_STEPS - len(steps)):
        steps += _planned(at, run, people)
    steps += _waiting(session, alert, now)
    return sorted(steps, key=attrgetter("at"))[:MOST_STEPS]


def run_ahead(
    subject: AlertSubject,
    plan: Plan,
    progress: Progress,
    people: Directory,
    begin: datetime,
) -> Iterator[tuple[datetime, PlanRun]]:
    """Yields the time and result of each plan run from ``begin`` on, if no one reacts.

    A silence that starts to cover the alert mutes it; the plan restarts after the last
    one ends. Infinite for a plan that never ends.
    """
    while (at := _next(subject, progress, people, begin)) is not None:
        run = run_plan(subject, plan, progress, people, at)
        yield at, run
        subject, progress = replace(subject, assignee_id=run.assignee_id), progress_after(run)
        begin = run.quiet_until or at


def _next(
    subject: AlertSubject, progress: Progress, people: Directory, begin: datetime
) -> datetime | None:
    """The next plan run or silence start, whichever comes first."""
    times = [people.quiet_start(subject.team_id, subject.signal_labels, begin)]
    times += [progress.due and max(progress.due, begin)]
    return min((at for at in times if at is not None), default=None)


def progress_after(run: PlanRun) -> Progress:
    """The progress from which the plan continues after ``run``."""
    if run.quiet_until is not None:
        return engine.start(run.plan, run.quiet_until)
    return run.progress


def _waiting(session: Session, alert: Alert, now: datetime) -> Iterator[PlannedStep]:
    """Delayed notifications of steps that already ran."""
    query = (
        select(Notification)
        .where(
            Notification.alert_id == alert.id,
            Notification.generation == alert.generation,
            Notification.state == DeliveryState.PENDING,
            Notification.contact_id.is_not(None),
            Notification.next_at > now,
        )
        .options(joinedload(Notification.user), joinedload(Notification.contact))
        .order_by(Notification.next_at, Notification.id)
        .limit(MOST_STEPS)
    )
    for row in session.scalars(query):
        if row.next_at is not None and row.user is not None and row.contact is not None:
            way = ways.find_contact(row.method, row.contact.label)
            yield PlannedStep(row.next_at, f"{_verb(row.kind)} {row.user.display_name} by {way}")


def _planned(at: datetime, run: PlanRun, people: Directory) -> Iterator[PlannedStep]:
    """The steps of one plan run: at once, and later by people's own rules."""
    text = _text(run, people, at)
    if text:
        yield PlannedStep(at, text)
    for row in run.outbox:
        if row["next_at"] > at:
            contact = people.ways[row["user_id"]].contacts[row["contact_id"]]
            way = ways.find_contact(contact.kind, contact.label)
            text = f"{_verb(row['kind'])} {_name(row, people)} by {way}"
            yield PlannedStep(row["next_at"], text)


def _verb(kind: NotificationKind) -> str:
    return _VERBS.get(kind, "notify")


def _text(run: PlanRun, people: Directory, at: datetime) -> str:
    if run.cover is not None:
        return f"fall quiet, because {covering_silences(run.cover)}"
    remarks = [_remark(event) for event in run.events if event["kind"] in _REMARKED]
    names_by_kind: dict[NotificationKind, dict[str, None]] = defaultdict(dict)
    for row in run.outbox:
        if row["next_at"] <= at:
            names_by_kind[row["kind"]][_name(row, people)] = None
    actions = [f"{_VERBS[kind]} {join_words(list(names))}" for kind, names in names_by_kind.items()]
    return "; ".join([*dict.fromkeys(remarks), *actions])


def _remark(event: Mapping[str, Any]) -> str:
    if event["kind"] is EventKind.NOBODY_ON_CALL:
        # "Nobody is on call: why"
        remark: str = event["text"].partition(":")[0]
        return remark[0].lower() + remark[1:]
    return _REMARKS[event["kind"]]


def _name(row: Mapping[str, Any], people: Directory) -> str:
    if row["user_id"] is not None:
        return people.users[row["user_id"]].display_name
    return people.channels[row["channel_id"]].name
