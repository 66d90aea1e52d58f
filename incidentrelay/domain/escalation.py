"""Escalation plans, and the decision what happens next.

A plan is a list of steps. Each waits ``delay`` seconds and then notifies its
targets; after the last one the plan goes on at ``loop_from``, for ``rounds`` further
rounds (None: for ever). When it has run out and nobody has reacted, the alert is
*exhausted*: the team's fallback contact is told.

A route without a policy has the default plan: page who is on call and the route's
channels, remind, escalate to the next member, remind again, and so on around the
rotation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from incidentrelay.domain.enums import NotificationKind, TargetKind

PAGE, ESCALATION, REMINDER = (
    NotificationKind.PAGE,
    NotificationKind.ESCALATION,
    NotificationKind.REMINDER,
)
EXHAUSTED_AFTER = 300


@dataclass(frozen=True, slots=True)
class Target:
    """``id`` is None for the assignee, who is found when the step runs."""

    kind: TargetKind
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """``delay`` is in seconds, counted from the step before."""

    delay: int
    kind: NotificationKind
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    steps: tuple[Step, ...]
    loop_from: int = 0
    rounds: int | None = 0
    exhausted_after: int = EXHAUSTED_AFTER
    source: str = "default"

    def to_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "loop_from": self.loop_from,
            "rounds": self.rounds,
            "exhausted_after": self.exhausted_after,
            "steps": [
                {
                    "delay": step.delay,
                    "kind": step.kind,
                    "targets": [{"kind": target.kind, "id": target.id} for target in step.targets],
                }
                for step in self.steps
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            steps=tuple(
                Step(
                    step["delay"],
                    NotificationKind(step["kind"]),
                    tuple(Target(TargetKind(t["kind"]), t["id"]) for t in step["targets"]),
                )
                for step in data["steps"]
            ),
            loop_from=data["loop_from"],
            rounds=data["rounds"],
            exhausted_after=data["exhausted_after"],
            source=data["source"],
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a plan has run.

    ``step`` is the next step (== len(steps): only exhaustion is left), ``due`` when
    it is to run (None: the plan has ended), ``run`` how many steps have run, which
    numbers their notifications.
    """

    step: int = 0
    round: int = 0
    run: int = 0
    due: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        due = self.due.isoformat() if self.due else None
        return {"step": self.step, "round": self.round, "run": self.run, "due": due}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        due = datetime.fromisoformat(data["due"]) if data.get("due") else None
        return cls(data.get("step", 0), data.get("round", 0), data.get("run", 0), due)


@dataclass(frozen=True, slots=True)
class RunStep:
    """Notify the targets of ``step``; ``number`` is unique within the generation."""

    step: Step
    number: int


@dataclass(frozen=True, slots=True)
class Exhaust:
    """Nobody reacted to all of the plan."""

    number: int


@dataclass(frozen=True, slots=True)
class Decision:
    progress: Progress
    effects: tuple[RunStep | Exhaust, ...] = ()

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
    channels = tuple(Target(TargetKind.CHANNEL, channel_id) for channel_id in channel_ids)
    on_call = (Target(TargetKind.ON_CALL, rotation_id),) if rotation_id is not None else ()
    page = Step(0, PAGE, on_call + channels)
    if not reminder_interval:
        return Plan((page,))
    reminder = Step(reminder_interval, REMINDER, (Target(TargetKind.ASSIGNEE), *channels))
    if reminders is None or rotation_id is None:
        return Plan((page, reminder), loop_from=1, rounds=None)
    following = (Target(TargetKind.NEXT_MEMBER, rotation_id), *channels)
    escalation = Step(reminder_interval, ESCALATION, following)
    return Plan((page, *[reminder] * reminders, escalation), loop_from=1, rounds=None)


def policy_plan(name: str, steps: Sequence[Mapping[str, Any]], repeat: int) -> Plan:
    """The plan of an escalation policy (shape: models.Policy.steps)."""
    made = []
    for number, step in enumerate(steps):
        targets = [Target(TargetKind(t["kind"]), t["id"]) for t in step["targets"]]
        if step.get("notify_assignee_again"):
            targets.insert(0, Target(TargetKind.ASSIGNEE))
        made.append(Step(step["delay"], ESCALATION if number else PAGE, tuple(targets)))
    longest = max((step.delay for step in made), default=0)
    return Plan(tuple(made), 0, repeat, longest or EXHAUSTED_AFTER, source=f"policy {name}")


def start(plan: Plan, now: datetime) -> Progress:
    """The beginning of a plan (one without steps is exhausted at once)."""
    delay = plan.steps[0].delay if plan.steps else 0
    return Progress(due=now + timedelta(seconds=delay))


def decide(plan: Plan, progress: Progress, now: datetime) -> Decision:
    """What is due at ``now``: at most one step, however late it is.

    Total: any progress of any plan has an answer. The following step is counted
    from ``now``, so that a late one is not followed by a burst.
    """
    if progress.due is None or progress.due > now:
        return Decision(progress)
    number = progress.run
    if progress.step >= len(plan.steps):
        return Decision(replace(progress, due=None, run=number + 1), (Exhaust(number),))
    step = plan.steps[progress.step]
    following = _advance(plan, replace(progress, run=number + 1), now)
    return Decision(following, (RunStep(step, number),))


def _advance(plan: Plan, progress: Progress, now: datetime) -> Progress:
    step, turn = progress.step + 1, progress.round
    if step >= len(plan.steps) and (plan.rounds is None or turn < plan.rounds):
        step, turn = min(plan.loop_from, len(plan.steps) - 1), turn + 1
    ended = step >= len(plan.steps)
    delay = plan.exhausted_after if ended else plan.steps[step].delay
    return replace(progress, step=step, round=turn, due=now + timedelta(seconds=delay))


def hurry(plan: Plan, progress: Progress, now: datetime) -> Progress:
    """Nobody was there: the next step that asks somebody else is due at once.

    Reminders are passed over, because they would ask the same nobody.
    """
    if progress.due is None:
        return progress
    at = progress
    for _ in plan.steps:
        if at.step >= len(plan.steps) or plan.steps[at.step].kind is not REMINDER:
            return replace(at, due=now)
        at = _advance(plan, at, now)
    return progress
