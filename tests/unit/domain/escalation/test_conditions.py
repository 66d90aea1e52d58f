"""When steps of a plan apply, and what happens if they do not."""

from datetime import UTC, datetime, time, timedelta

import pytest

from incidentrelay.domain.enums import NotificationKind, Severity, TargetKind
from incidentrelay.domain.escalation.conditions import Conditions, Facts, LocalHours, days_text
from incidentrelay.domain.escalation.engine import (
    Effect,
    Exhaust,
    NobodyNotified,
    RunStep,
    SkipStep,
    Wait,
    advance_now,
    decide,
    start,
)
from incidentrelay.domain.escalation.plan import Plan, PlanStep, PlanTarget, Progress, policy_plan

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WARNING = Facts(Severity.WARNING)
ON_CALL = (PlanTarget(TargetKind.ON_CALL, 1),)
WEEK = tuple(range(5))


def step(conditions: Conditions, delay: int = 0) -> PlanStep:
    return PlanStep(delay, NotificationKind.PAGE, ON_CALL, conditions)


def for_severity(severity: Severity, delay: int = 0) -> PlanStep:
    return step(Conditions(severity), delay)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "inside", "outside"),
    [
        # Office hours in Paris in winter: 08:00 to 16:00 UTC.
        (
            LocalHours(WEEK, time(9), time(17), "Europe/Paris"),
            ["2026-03-03T08:00", "2026-03-03T15:59:59"],
            ["2026-03-03T07:59:59", "2026-03-03T16:00", "2026-03-07T10:00"],
        ),
        # A night that begins on Friday goes on until Saturday morning, and not on Sunday.
        (
            LocalHours((4,), time(22), time(6), "UTC"),
            ["2026-03-06T22:00", "2026-03-07T05:59"],
            ["2026-03-06T05:00", "2026-03-07T06:00", "2026-03-07T22:30"],
        ),
        # The same time twice is a whole day.
        (
            LocalHours((5,), time(8), time(8), "UTC"),
            ["2026-03-07T08:00", "2026-03-08T07:59"],
            ["2026-03-07T07:59", "2026-03-08T08:00"],
        ),
        # The night in which the clocks go forward in Paris is an hour shorter.
        (
            LocalHours((5,), time(22), time(6), "Europe/Paris"),
            ["2026-03-28T21:00", "2026-03-29T03:59"],
            ["2026-03-28T20:59", "2026-03-29T04:00"],
        ),
        # And an hour longer where they go back.
        (
            LocalHours((5,), time(22), time(6), "Europe/Paris"),
            ["2026-10-24T20:00", "2026-10-25T04:59"],
            ["2026-10-24T19:59", "2026-10-25T05:00"],
        ),
        # What lies in the hour that is skipped is never there.
        (
            LocalHours((6,), time(2, 15), time(2, 45), "Europe/Paris"),
            ["2026-03-22T01:30"],
            ["2026-03-29T00:30", "2026-03-29T01:00", "2026-03-29T01:30"],
        ),
    ],
)
def test_hours_are_those_of_the_wall(
    hours: LocalHours, inside: list[str], outside: list[str]
) -> None:
    assert [text for text in inside if not hours.cover(at(text))] == []
    assert [text for text in outside if hours.cover(at(text))] == []


@pytest.mark.parametrize(
    ("days", "text"),
    [
        ((0, 1, 2, 3, 4), "Mon–Fri"),
        ((5, 6), "Sat, Sun"),
        ((0, 2, 4), "Mon, Wed, Fri"),
        (tuple(range(7)), "every day"),
    ],
)
def test_days_in_words(days: tuple[int, ...], text: str) -> None:
    assert days_text(days) == text


def test_a_step_that_does_not_apply_is_passed_over_and_the_next_keeps_its_time() -> None:
    plan = Plan((for_severity(Severity.HIGH), step(Conditions(), 300)))
    decision = decide(plan, start(plan, NOW), NOW, WARNING)
    assert decision.effects == (
        SkipStep(plan.steps[0], "It is for severity high and above, and this is warning."),
    )
    assert decision.wake_at == NOW + 5 * MINUTE
    after = decide(plan, decision.progress, NOW + 5 * MINUTE, WARNING)
    assert after.effects == (RunStep(plan.steps[1], 1),)
    assert after.progress.skips == 0


@pytest.mark.parametrize("severity", [Severity.CRITICAL, Severity.HIGH])
def test_a_severity_is_the_lowest(severity: Severity) -> None:
    plan = Plan((for_severity(Severity.HIGH),))
    assert isinstance(decide(plan, start(plan, NOW), NOW, Facts(severity)).effects[0], RunStep)


def test_hours_are_looked_at_when_the_step_is_due() -> None:
    office = step(Conditions(hours=LocalHours(WEEK, time(9), time(17), "UTC")))
    plan = Plan((office,))
    evening = NOW + timedelta(hours=6)
    (effect,) = decide(plan, start(plan, NOW), NOW).effects
    assert isinstance(effect, RunStep)
    effect, unheard = decide(plan, start(plan, evening), evening).effects
    assert isinstance(effect, SkipStep)
    assert effect.why == "It is for Mon–Fri 09:00–17:00 UTC only."
    assert isinstance(unheard, NobodyNotified)


def test_a_round_in_which_nothing_applies_is_told_once_and_the_plan_goes_on() -> None:
    """Once, when as many steps in a row were skipped as the plan has; not in every round."""
    plan = Plan((for_severity(Severity.HIGH), for_severity(Severity.CRITICAL, 60)), rounds=2)
    progress, seen = start(plan, NOW), list[Effect]()
    while progress.due is not None:
        decision = decide(plan, progress, progress.due, WARNING)
        seen += decision.effects
        progress = decision.progress
    kinds = [type(effect) for effect in seen]
    assert kinds.count(NobodyNotified) == 1
    assert kinds.index(NobodyNotified) == 2
    assert kinds.count(SkipStep) == 6
    assert kinds[-1] is Exhaust


WAITING = Plan((step(Conditions(wait=3600)), step(Conditions(), 300)))


def absent(minutes: int | None) -> Facts:
    back_at = None if minutes is None else NOW + minutes * MINUTE
    return Facts(absent=True, back_at=back_at)


@pytest.mark.parametrize("minutes", [1, 60])
def test_a_step_waits_for_the_next_shift(minutes: int) -> None:
    decision = decide(WAITING, start(WAITING, NOW), NOW, absent(minutes))
    until = NOW + minutes * MINUTE
    assert decision.effects == (Wait(WAITING.steps[0], until),)
    assert decision.wake_at == until
    after = decide(WAITING, decision.progress, until, Facts())
    assert after.effects == (RunStep(WAITING.steps[0], 0),)
    assert after.wake_at == until + 5 * MINUTE


@pytest.mark.parametrize("facts", [Facts(), absent(None), absent(61)])
def test_it_does_not_wait_in_vain(facts: Facts) -> None:
    """Nor for somebody who is there: what runs then says that nobody is on call."""
    (effect,) = decide(WAITING, start(WAITING, NOW), NOW, facts).effects
    assert isinstance(effect, RunStep)


def test_patience_is_counted_from_the_beginning_of_the_wait() -> None:
    """Where the shift that was waited for is gone when it should begin."""
    progress = decide(WAITING, start(WAITING, NOW), NOW, absent(50)).progress
    later = NOW + 50 * MINUTE
    again = decide(WAITING, progress, later, absent(60))
    assert again.wake_at == NOW + 60 * MINUTE
    (effect,) = decide(WAITING, progress, later, absent(61)).effects
    assert isinstance(effect, RunStep)


def test_what_has_waited_is_not_held_against_the_clock_again() -> None:
    conditions = Conditions(hours=LocalHours(WEEK, time(9), time(12, 30), "UTC"), wait=3600)
    plan = Plan((step(conditions),))
    progress = decide(plan, start(plan, NOW), NOW, absent(45)).progress
    (effect,) = decide(plan, progress, NOW + 45 * MINUTE, Facts()).effects
    assert isinstance(effect, RunStep)


def test_to_hurry_a_step_that_waits_is_to_go_on() -> None:
    progress = decide(WAITING, start(WAITING, NOW), NOW, absent(50)).progress
    hurried = advance_now(WAITING, progress, NOW + MINUTE)
    (effect,) = decide(WAITING, hurried, NOW + MINUTE, absent(50)).effects
    assert isinstance(effect, RunStep)


def test_urgency_outlives_a_step_that_does_not_apply() -> None:
    plan = Plan((for_severity(Severity.HIGH, 60), step(Conditions(), 900)))
    hurried = advance_now(plan, start(plan, NOW), NOW)
    decision = decide(plan, hurried, NOW, WARNING)
    assert decision.wake_at == NOW
    after = decide(plan, decision.progress, NOW, WARNING)
    assert after.effects == (RunStep(plan.steps[1], 1),)
    assert not after.progress.urgent


def test_plans_and_progress_of_before_can_be_read() -> None:
    old = {
        "source": "policy Night",
        "loop_from": 0,
        "rounds": 1,
        "exhausted_after": 300,
        "steps": [{"delay": 0, "kind": "page", "targets": [{"kind": "user", "id": 5}]}],
    }
    plan = Plan.from_json(old)
    assert plan.version is None
    assert plan.steps[0].conditions == Conditions()
    progress = Progress.from_json({"step": 1, "round": 0, "run": 1, "due": None})
    assert progress == Progress(step=1, run=1)


def test_a_policy_gives_its_version_and_its_severities() -> None:
    steps = [
        {"delay": 0, "targets": [{"kind": "user", "id": 5}], "conditions": {"severity": "high"}},
        {"delay": 0, "targets": [{"kind": "user", "id": 6}]},
    ]
    plan = policy_plan("Night", steps, 0, 3)
    assert plan.version == 3
    assert plan.severity_thresholds == {Severity.HIGH}
