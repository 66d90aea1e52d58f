"""Escalation plans and how far they have run, as values.

A plan is a list of steps. Each waits ``delay`` seconds and then notifies its targets.
After the last one the plan continues at ``loop_from``, for ``rounds`` further rounds
(None: without end). A route without a policy has the default plan: page the person on
call and the route's channels, remind, escalate to the next member, remind again, and so
on around the rotation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from incidentrelay.domain.enums import NotificationKind, Severity, TargetKind
from incidentrelay.domain.escalation.conditions import ALWAYS, Conditions

PAGE, ESCALATION, REMINDER = (
    NotificationKind.PAGE,
    NotificationKind.ESCALATION,
    NotificationKind.REMINDER,
)
EXHAUSTED_AFTER = 300


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
    """``version`` is the version of the policy that the plan copies, if any."""

    steps: tuple[PlanStep, ...]
    loop_from: int = 0
    rounds: int | None = 0
    exhausted_after: int = EXHAUSTED_AFTER
    source: str = "default"
    version: int | None = None

    @property
    def severity_thresholds(self) -> frozenset[Severity]:
        """The lowest severities of its steps."""
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

    ``step`` is the next step (== len(steps): only exhaustion is left). ``due`` is when
    it runs (None: the plan has ended). ``run`` counts the steps that ran or were skipped;
    it numbers their notifications. ``skips`` counts the latest steps skipped in a row.
    ``urgent``: somebody asked for the step, or nobody was reached before it; if it does
    not apply, the next one is due at once. ``waiting`` is when the step began to wait
    for somebody to be on call.
    """

    step: int = 0
    round: int = 0
    run: int = 0
    due: datetime | None = None
    skips: int = 0
    urgent: bool = False
    waiting: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "round": self.round,
            "run": self.run,
            "due": _written(self.due),
            "passed": self.skips,
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
            skips=data.get("passed", 0),
            urgent=data.get("urgent", False),
            waiting=_read(data.get("waiting")),
        )


def _written(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _read(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def default_plan(
    rotation_id: int | None,
    channel_ids: Sequence[int],
    *,
    reminder_interval: int,
    reminders: int | None,
) -> Plan:
    """The plan of a route without a policy.

    ``reminder_interval`` is in seconds, 0 for none. After ``reminders`` reminders the next
    member is paged; None: never, reminders continue.
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
    built = []
    for number, step in enumerate(steps):
        targets = [PlanTarget(TargetKind(t["kind"]), t["id"]) for t in step["targets"]]
        if step.get("notify_assignee_again"):
            targets.insert(0, PlanTarget(TargetKind.ASSIGNEE))
        kind = ESCALATION if number else PAGE
        conditions = Conditions.from_json(step.get("conditions") or {})
        built.append(PlanStep(step["delay"], kind, tuple(targets), conditions))
    longest = max((step.delay for step in built), default=0)
    return Plan(tuple(built), 0, repeat, longest or EXHAUSTED_AFTER, f"policy {name}", version)
