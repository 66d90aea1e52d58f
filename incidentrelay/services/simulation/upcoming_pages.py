"""Describes the steps of a plan that runs ahead, for simulations."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from incidentrelay.domain.enums import TargetKind
from incidentrelay.domain.escalation.plan import Plan, PlanStep
from incidentrelay.domain.oncall.shifts import on_call
from incidentrelay.services.escalation.plan_course import StepRun
from incidentrelay.services.escalation.plan_run import PlanRun
from incidentrelay.services.recipients.directory import Directory, Recipient
from incidentrelay.services.simulation.forecast import (
    ForecastChannel,
    ForecastPerson,
    ForecastStep,
    PlanInfo,
    StepKind,
)

_POLICY = "policy "


def describe_plan(plan: Plan, rotations: Mapping[int, str], *, running: bool) -> PlanInfo:
    """Where the plan comes from. ``rotations`` are names by id."""
    if plan.source.startswith(_POLICY):
        policy = plan.source.removeprefix(_POLICY)
        return PlanInfo("policy", policy, None, running, plan.version)
    targets = (target for step in plan.steps for target in step.targets)
    ids = [target.id for target in targets if target.kind is TargetKind.ON_CALL]
    rotation = next((rotations.get(each) for each in ids if each is not None), None)
    return PlanInfo("default", None, rotation, running)


def describe_steps(
    at: datetime, plan_run: PlanRun, people: Directory, rotations: Mapping[int, str]
) -> Iterator[ForecastStep]:
    """The steps of one run of a plan in order, then notifications delayed by rules."""
    if plan_run.quiet_until is not None:
        text = " ".join(event["text"] for event in plan_run.events)
        yield ForecastStep(
            at, StepKind.SILENCED, nobody=text, assignee=username_of(people, plan_run.assignee_id)
        )
    for run in plan_run.runs:
        yield _step(at, _kind(run), _due(run.recipients, 0), run, people, rotations)
        if run.fallback:
            yield _step(at, StepKind.FALLBACK, _due(run.fallback, 0), run, people, rotations)
    for run in plan_run.runs:
        kind = StepKind.FALLBACK if run.step is None else StepKind(run.step.kind)
        yield from _later(at, kind, run.recipients, run, people)
        yield from _later(at, StepKind.FALLBACK, run.fallback, run, people)


def _later(
    at: datetime, kind: StepKind, recipients: Sequence[Recipient], run: StepRun, people: Directory
) -> Iterator[ForecastStep]:
    """Notifications that people's own rules delay."""
    for delay in sorted({recipient.delay for recipient in recipients} - {0}):
        persons = _persons(_due(recipients, delay), people, {})
        assignee = username_of(people, run.assignee_id)
        yield ForecastStep(at + timedelta(seconds=delay), kind, persons, assignee=assignee)


def _due(recipients: Sequence[Recipient], delay: int) -> Sequence[Recipient]:
    return [recipient for recipient in recipients if recipient.delay == delay]


def _kind(run: StepRun) -> StepKind:
    if run.step is None:
        return StepKind.EXHAUSTED
    if run.skipped is not None:
        return StepKind.PASSED_OVER
    return StepKind.WAITS if run.until is not None else StepKind(run.step.kind)


def _step(
    at: datetime,
    kind: StepKind,
    recipients: Sequence[Recipient],
    run: StepRun,
    people: Directory,
    rotations: Mapping[int, str],
) -> ForecastStep:
    fallback = kind is StepKind.FALLBACK
    turns = {} if fallback or not recipients else _turns(at, run.step, people, rotations)
    nobody = run.skipped or ", ".join(run.unreached) or None
    return ForecastStep(
        at=at,
        kind=kind,
        people=_persons(recipients, people, turns),
        channels=_channels(recipients, people),
        nobody=None if fallback else nobody,
        assignee=username_of(people, run.assignee_id),
        until=run.until,
    )


def _turns(
    at: datetime, step: PlanStep | None, people: Directory, rotations: Mapping[int, str]
) -> dict[int, tuple[str, datetime]]:
    """The rotation and shift end of each on-call person the step notifies."""
    turns: dict[int, tuple[str, datetime]] = {}
    for target in step.targets if step else ():
        if target.kind is not TargetKind.ON_CALL or target.id is None:
            continue
        schedule = people.schedules.get(target.id)
        shift = on_call(schedule, at) if schedule else None
        if shift is not None:
            turns.setdefault(shift.user_id, (rotations[target.id], shift.end))
    return turns


def _persons(
    recipients: Sequence[Recipient], people: Directory, turns: Mapping[int, tuple[str, datetime]]
) -> tuple[ForecastPerson, ...]:
    contacts_by_user: dict[int, dict[tuple[str, str], None]] = {}
    for recipient in recipients:
        if recipient.user_id is not None:
            pair = (recipient.method, recipient.contact)
            contacts_by_user.setdefault(recipient.user_id, {})[pair] = None
    persons = []
    for user_id, pairs in contacts_by_user.items():
        user = people.users[user_id]
        rotation, until = turns.get(user_id, (None, None))
        methods = tuple(dict.fromkeys(method for method, _ in pairs))
        contacts = tuple((method, label) for method, label in pairs if label)
        names = (user.username, user.display_name)
        persons.append(ForecastPerson(*names, methods, contacts, rotation, until))
    return tuple(persons)


def _channels(recipients: Sequence[Recipient], people: Directory) -> tuple[ForecastChannel, ...]:
    ids = dict.fromkeys(each.channel_id for each in recipients if each.channel_id is not None)
    rows = [people.channels[channel_id] for channel_id in ids]
    return tuple(ForecastChannel(row.slug, row.name, row.kind) for row in rows)


def username_of(people: Directory, user_id: int | None) -> str | None:
    user = people.users.get(user_id) if user_id is not None else None
    return user.username if user else None
