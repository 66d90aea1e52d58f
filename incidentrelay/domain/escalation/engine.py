"""Escalation plans, and the decision what happens next.

A plan is a list of steps. Each waits ``delay`` seconds and then notifies its
targets; after the last one the plan goes on at ``loop_from``, for ``rounds`` further
rounds (None: for ever). When it has run out and nobody has reacted, the alert is
*exhausted*: the team's fallback contact is told.

A step may have conditions (:mod:`incidentrelay.domain.escalation.conditions`). One that does not
apply is passed over, and the next comes at its own time. When as many steps in turn
were passed over as there are, the fallback contact is told, and the plan goes on.

A route without a policy has the default plan: page who is on call and the route's
channels, remind, escalate to the next member, remind again, and so on around the
rotation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from incidentrelay.domain.enums import NotificationKind, Severity, TargetKind
from incidentrelay.domain.escalation.conditions import (
    ALWAYS,
    Conditions,
    Facts,
    objection,
    waits_until,
)

PAGE, ESCALATION, REMINDER = (
    NotificationKind.PAGE,
    NotificationKind.ESCALATION,
    NotificationKind.REMINDER,
)
EXHAUSTED_AFTER = 300
EVERYTHING = Facts()


@dataclass(frozen=True, slots=True)
class PlanTarget:
    """``id`` is None for the assignee, who is found when the step runs."""

    kind: TargetKind
    id: int | None = None


@dataclass(frozen=True, slots=True)
class PlanStep:
    """``delay`` is in seconds, counted from the step before."""

    delay: int
    kind: NotificationKind
    targets: tuple[PlanTarget, ...]
    conditions: Conditions = ALWAYS

    def to_json(self) -> dict[str, Any]:
        targets = [{"kind": target.kind, "id": target.id} for target in self.targets]
        return {
            "delay": self.delay,
            "kind": self.kind,
            "targets": targets,
            "conditions": self.conditions.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Plans that began before there were conditions have none."""
        return cls(
            data["delay"],
            NotificationKind(data["kind"]),
            tuple(PlanTarget(TargetKind(t["kind"]), t["id"]) for t in data["targets"]),
            Conditions.from_json(data.get("conditions", {})),
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """``version`` is that of the policy from which the plan was taken, if it was one."""

    steps: tuple[PlanStep, ...]
    loop_from: int = 0
    rounds: int | None = 0
    exhausted_after: int = EXHAUSTED_AFTER
    source: str = "default"
    version: int | None = None

    @property
    def severity_thresholds(self) -> frozenset[Severity]:
        """The severities from which on steps of the plan apply."""
        severity_thresholds = (step.conditions.severity for step in self.steps)
        return frozenset(floor for floor in severity_thresholds if floor is not None)

    def to_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "loop_from": self.loop_from,
            "rounds": self.rounds,
            "exhausted_after": self.exhausted_after,
            "version": self.version,
            "steps": [step.to_json() for step in self.steps],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            steps=tuple(PlanStep.from_json(step) for step in data["steps"]),
            loop_from=data["loop_from"],
            rounds=data["rounds"],
            exhausted_after=data["exhausted_after"],
            source=data["source"],
            version=data.get("version"),
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a plan has run.

    ``step`` is the next step (== len(steps): only exhaustion is left), ``due`` when
    it is to run (None: the plan has ended), ``run`` how many steps have run or were
    passed over, which numbers their notifications. ``passed`` counts the steps that
    were passed over in turn. ``urgent``: the step is asked for by somebody, or because
    nobody was there; what follows a step that does not apply is then due at once.
    ``waiting`` is since when the step waits for somebody to be on call.
    """

    step: int = 0
    round: int = 0
    run: int = 0
    due: datetime | None = None
    passed: int = 0
    urgent: bool = False
    waiting: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "round": self.round,
            "run": self.run,
            "due": _written(self.due),
            "passed": self.passed,
            "urgent": self.urgent,
            "waiting": _written(self.waiting),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            step=data.get("step", 0),
            round=data.get("round", 0),
            run=data.get("run", 0),
            due=_read(data.get("due")),
            passed=data.get("passed", 0),
            urgent=data.get("urgent", False),
            waiting=_read(data.get("waiting")),
        )


def _written(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _read(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@dataclass(frozen=True, slots=True)
class RunStep:
    """Notify the targets of ``step``; ``number`` is unique within the generation."""

    step: PlanStep
    number: int


@dataclass(frozen=True, slots=True)
class Exhaust:
    """Nobody reacted to all of the plan."""

    number: int


@dataclass(frozen=True, slots=True)
class SkipStep:
    """``step`` does not apply, and ``why`` says so."""

    step: PlanStep
    why: str


@dataclass(frozen=True, slots=True)
class Wait:
    """``step`` waits ``until`` somebody is on call."""

    step: PlanStep
    until: datetime


@dataclass(frozen=True, slots=True)
class NobodyNotified:
    """Every step in turn was passed over, so that nobody knows of the alert."""

    number: int


Effect = RunStep | Exhaust | SkipStep | Wait | NobodyNotified


@dataclass(frozen=True, slots=True)
class Decision:
    progress: Progress
    effects: tuple[Effect, ...] = ()

    @property
    def wake_at(self) -> datetime | None:
        return self.progress.due


def default_plan(
    rotation_id: int | None,
    channel_ids: Sequence[int],
    *,
    reminder_interval: int,
    reminders: int | None,
) -> Plan:
    """The plan of a route without a policy.

    ``reminder_interval`` is in seconds, 0 for none. After ``reminders`` reminders
    the next member is paged; None: never, the reminders go on.
    """
    channels = tuple(PlanTarget(TargetKind.CHANNEL, channel_id) for channel_id in channel_ids)
    on_call = (PlanTarget(TargetKind.ON_CALL, rotation_id),) if rotation_id is not None else ()
    page = PlanStep(0, PAGE, on_call + channels)
    if not reminder_interval:
        return Plan((page,))
    reminder = PlanStep(reminder_interval, REMINDER, (PlanTarget(TargetKind.ASSIGNEE), *channels))
    if reminders is None or rotation_id is None:
        return Plan((page, reminder), loop_from=1, rounds=None)
    following = (PlanTarget(TargetKind.NEXT_MEMBER, rotation_id), *channels)
    escalation = PlanStep(reminder_interval, ESCALATION, following)
    return Plan((page, *[reminder] * reminders, escalation), loop_from=1, rounds=None)


def policy_plan(
    name: str, steps: Sequence[Mapping[str, Any]], repeat: int, version: int | None = None
) -> Plan:
    """The plan of an escalation policy (shape: models.Policy.steps)."""
    made = []
    for number, step in enumerate(steps):
        targets = [PlanTarget(TargetKind(t["kind"]), t["id"]) for t in step["targets"]]
        if step.get("notify_assignee_again"):
            targets.insert(0, PlanTarget(TargetKind.ASSIGNEE))
        kind = ESCALATION if number else PAGE
        conditions = Conditions.from_json(step.get("conditions") or {})
        made.append(PlanStep(step["delay"], kind, tuple(targets), conditions))
    longest = max((step.delay for step in made), default=0)
    return Plan(tuple(made), 0, repeat, longest or EXHAUSTED_AFTER, f"policy {name}", version)


def start(plan: Plan, now: datetime) -> Progress:
    """The beginning of a plan (one without steps is exhausted at once)."""
    delay = plan.steps[0].delay if plan.steps else 0
    return Progress(due=now + timedelta(seconds=delay))


def decide(plan: Plan, progress: Progress, now: datetime, facts: Facts = EVERYTHING) -> Decision:
    """What is due at ``now``: at most one step, however late it is.

    Total: any progress of any plan has an answer. The following step is counted
    from ``now``, so that a late one is not followed by a burst. ``facts`` are those
    of the step that is due.
    """
    if progress.due is None or progress.due > now:
        return Decision(progress)
    number = progress.run
    if progress.step >= len(plan.steps):
        ended = replace(progress, due=None, run=number + 1, urgent=False)
        return Decision(ended, (Exhaust(number),))
    step = plan.steps[progress.step]
    # What has begun to wait has met the step's other conditions.
    why = None if progress.waiting else objection(step.conditions, facts, now)
    if why is not None:
        return _pass_over(plan, progress, step, why, now)
    # To hurry a step that waits already is to ask it not to.
    until = None
    if not (progress.waiting and progress.urgent):
        until = waits_until(step.conditions, facts, now, progress.waiting)
    if until is not None:
        since = progress.waiting or now
        return Decision(
            replace(progress, due=until, waiting=since, urgent=False), (Wait(step, until),)
        )
    following = _advance(plan, replace(progress, run=number + 1), now)
    return Decision(following, (RunStep(step, number),))


def _pass_over(plan: Plan, progress: Progress, step: PlanStep, why: str, now: datetime) -> Decision:
    number, passed = progress.run, progress.passed + 1
    following = _advance(plan, replace(progress, run=number + 1), now)
    if progress.urgent and following.step < len(plan.steps):
        following = replace(following, due=now, urgent=True)
    effects: tuple[Effect, ...] = (SkipStep(step, why),)
    if passed == len(plan.steps):
        effects += (NobodyNotified(number),)
    return Decision(replace(following, passed=passed), effects)


def _advance(plan: Plan, progress: Progress, now: datetime) -> Progress:
    step, turn = progress.step + 1, progress.round
    if step >= len(plan.steps) and (plan.rounds is None or turn < plan.rounds):
        step, turn = min(plan.loop_from, len(plan.steps) - 1), turn + 1
    ended = step >= len(plan.steps)
    delay = plan.exhausted_after if ended else plan.steps[step].delay
    return Progress(step, turn, progress.run, now + timedelta(seconds=delay))


def advance_now(plan: Plan, progress: Progress, now: datetime) -> Progress:
    """Nobody was there: the next step that asks somebody else is due at once.

    Reminders are passed over, because they would ask the same nobody.
    """
    if progress.due is None:
        return progress
    at = progress
    for _ in plan.steps:
        if at.step >= len(plan.steps) or plan.steps[at.step].kind is not REMINDER:
            return replace(at, due=now, urgent=True)
        at = _advance(plan, at, now)
    return progress
