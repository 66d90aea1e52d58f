"""Decides what a plan does next.

When a plan has ended and nobody has reacted, the alert is *exhausted* and the team's fallback
contact is notified. A step whose conditions (:mod:`incidentrelay.domain.escalation.conditions`)
do not apply is skipped, and the next comes at its own time. When every step was skipped in
turn, the fallback contact is notified and the plan continues.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from incidentrelay.domain.escalation.conditions import Facts, objection, waits_until
from incidentrelay.domain.escalation.plan import REMINDER, Plan, PlanStep, Progress

EVERYTHING = Facts()


@dataclass(frozen=True, slots=True)
class RunStep:
    """Notify the targets of ``step``; ``number`` is unique within the generation."""

    step: PlanStep
    number: int


@dataclass(frozen=True, slots=True)
class Exhaust:
    """The plan has ended, and nobody has reacted."""

    number: int


@dataclass(frozen=True, slots=True)
class SkipStep:
    """``step`` does not apply; ``why`` is a sentence."""

    step: PlanStep
    why: str


@dataclass(frozen=True, slots=True)
class Wait:
    """``step`` waits ``until`` somebody is on call."""

    step: PlanStep
    until: datetime


@dataclass(frozen=True, slots=True)
class NobodyNotified:
    """Every step in a row was skipped, so nobody was notified."""

    number: int


Effect = RunStep | Exhaust | SkipStep | Wait | NobodyNotified


@dataclass(frozen=True, slots=True)
class Decision:
    progress: Progress
    effects: tuple[Effect, ...] = ()

    @property
    def wake_at(self) -> datetime | None:
        return self.progress.due


def start(plan: Plan, now: datetime) -> Progress:
    """The beginning of a plan (one without steps is exhausted at once)."""
    delay = plan.steps[0].delay if plan.steps else 0
    return Progress(due=now + timedelta(seconds=delay))


def decide(plan: Plan, progress: Progress, now: datetime, facts: Facts = EVERYTHING) -> Decision:
    """The due step at ``now``: at most one, however late it is.

    Total: any progress of any plan has an answer. The delay of the following step runs from
    ``now``, so a late step is not followed by a burst. ``facts`` are those of the due step.
    """
    if progress.due is None or progress.due > now:
        return Decision(progress)
    number = progress.run
    if progress.step >= len(plan.steps):
        ended = replace(progress, due=None, run=number + 1, urgent=False)
        return Decision(ended, (Exhaust(number),))
    step = plan.steps[progress.step]
    # A step that waits has met its other conditions.
    why = None if progress.waiting else objection(step.conditions, facts, now)
    if why is not None:
        return _skip_step(plan, progress, step, why, now)
    # Advancing a step that waits ends its wait.
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


def _skip_step(plan: Plan, progress: Progress, step: PlanStep, why: str, now: datetime) -> Decision:
    number, skips = progress.run, progress.skips + 1
    following = _advance(plan, replace(progress, run=number + 1), now)
    if progress.urgent and following.step < len(plan.steps):
        following = replace(following, due=now, urgent=True)
    effects: tuple[Effect, ...] = (SkipStep(step, why),)
    if skips == len(plan.steps):
        effects += (NobodyNotified(number),)
    return Decision(replace(following, skips=skips), effects)


def _advance(plan: Plan, progress: Progress, now: datetime) -> Progress:
    step, turn = progress.step + 1, progress.round
    if step >= len(plan.steps) and (plan.rounds is None or turn < plan.rounds):
        step, turn = min(plan.loop_from, len(plan.steps) - 1), turn + 1
    ended = step >= len(plan.steps)
    delay = plan.exhausted_after if ended else plan.steps[step].delay
    return Progress(step, turn, progress.run, now + timedelta(seconds=delay))


def advance_now(plan: Plan, progress: Progress, now: datetime) -> Progress:
    """Nobody was reached: the next step with other targets is due at once.

    Reminders are skipped: their targets are the same.
    """
    if progress.due is None:
        return progress
    at = progress
    for _ in plan.steps:
        if at.step >= len(plan.steps) or plan.steps[at.step].kind is not REMINDER:
            return replace(at, due=now, urgent=True)
        at = _advance(plan, at, now)
    return progress
