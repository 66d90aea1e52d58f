"""Escalation plans: due steps, and that a plan always ends or continues."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.domain.enums import NotificationKind, Severity, TargetKind
from incidentrelay.domain.escalation.conditions import ALWAYS, Conditions, Facts, LocalHours
from incidentrelay.domain.escalation.engine import Exhaust, RunStep, advance_now, decide, start
from incidentrelay.domain.escalation.plan import (
    Plan,
    PlanStep,
    PlanTarget,
    Progress,
    default_plan,
    policy_plan,
)

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)


def run(plan: Plan, steps: int) -> list[tuple[int, str]]:
    """The steps without reactions: (seconds since the start, kind), ``steps`` times."""
    progress, seen = start(plan, NOW), []
    for _ in range(steps):
        if progress.due is None:
            break
        now = progress.due
        decision = decide(plan, progress, now)
        for effect in decision.effects:
            kind = effect.step.kind if isinstance(effect, RunStep) else "exhausted"
            seen.append((int((now - NOW).total_seconds()), str(kind)))
        progress = decision.progress
    return seen


def test_the_default_plan_reminds_and_goes_around_the_rotation() -> None:
    plan = default_plan(1, [2], reminder_interval=300, reminders=2)
    assert run(plan, 7) == [
        (0, "page"),
        (300, "reminder"),
        (600, "reminder"),
        (900, "escalation"),
        (1200, "reminder"),
        (1500, "reminder"),
        (1800, "escalation"),
    ]


def test_without_escalation_it_reminds_for_ever() -> None:
    plan = default_plan(1, [], reminder_interval=60, reminders=None)
    assert run(plan, 50)[-1] == (49 * 60, "reminder")


def test_without_reminders_the_fallback_is_told_after_five_minutes() -> None:
    plan = default_plan(1, [], reminder_interval=0, reminders=2)
    assert run(plan, 5) == [(0, "page"), (300, "exhausted")]


def test_zero_reminders_escalate_at_once_after_the_interval() -> None:
    plan = default_plan(1, [], reminder_interval=60, reminders=0)
    assert run(plan, 3) == [(0, "page"), (60, "escalation"), (120, "escalation")]


POLICY: list[dict[str, Any]] = [
    {"delay": 0, "targets": [{"kind": "rotation", "id": 1}]},
    {"delay": 120, "targets": [{"kind": "user", "id": 5}], "notify_assignee_again": True},
]


@pytest.mark.parametrize(
    ("repeat", "expected"),
    [
        (0, [(0, "page"), (120, "escalation"), (240, "exhausted")]),
        (
            1,
            [
                (0, "page"),
                (120, "escalation"),
                (120, "page"),
                (240, "escalation"),
                (360, "exhausted"),
            ],
        ),
    ],
)
def test_a_policy_repeats_and_ends(repeat: int, expected: list[tuple[int, str]]) -> None:
    assert run(policy_plan("p", POLICY, repeat), 20) == expected


def test_the_assignee_can_be_notified_again() -> None:
    plan = policy_plan("p", POLICY, 0)
    assert plan.steps[1].targets == (
        PlanTarget(TargetKind.ASSIGNEE),
        PlanTarget(TargetKind.USER, 5),
    )


def test_overdue_steps_run_once_and_the_next_is_counted_from_now() -> None:
    plan = default_plan(1, [], reminder_interval=60, reminders=2)
    late = NOW + timedelta(hours=3)
    decision = decide(plan, start(plan, NOW), late)
    assert len(decision.effects) == 1
    assert decision.wake_at == late + timedelta(seconds=60)


def test_nothing_happens_before_its_time() -> None:
    plan = default_plan(1, [], reminder_interval=60, reminders=2)
    early = Progress(step=1, run=1, due=NOW + timedelta(seconds=1))
    assert decide(plan, early, NOW).effects == ()


def test_hurry_passes_reminders_over() -> None:
    plan = default_plan(1, [], reminder_interval=60, reminders=3)
    progress = decide(plan, start(plan, NOW), NOW).progress
    hurried = advance_now(plan, progress, NOW)
    assert hurried.due == NOW
    assert plan.steps[hurried.step].kind is NotificationKind.ESCALATION


def test_hurry_changes_nothing_where_only_reminders_are_left() -> None:
    plan = default_plan(None, [7], reminder_interval=60, reminders=None)
    progress = decide(plan, start(plan, NOW), NOW).progress
    assert advance_now(plan, progress, NOW) == progress


TARGETS = st.builds(PlanTarget, st.sampled_from(TargetKind), st.integers(1, 9))
HOURS = st.builds(
    LocalHours,
    st.sets(st.integers(0, 6), min_size=1).map(sorted).map(tuple),
    st.times().map(lambda at: at.replace(microsecond=0)),
    st.times().map(lambda at: at.replace(microsecond=0)),
    st.sampled_from(["UTC", "Europe/Paris", "Asia/Kathmandu"]),
)
CONDITIONS = st.builds(
    Conditions,
    st.none() | st.sampled_from(Severity),
    st.none() | HOURS,
    st.sampled_from([0, 60, 3600]),
)
FACTS = st.builds(
    Facts,
    st.sampled_from(Severity),
    st.booleans(),
    st.none() | st.integers(1, 7200).map(lambda seconds: NOW + timedelta(seconds=seconds)),
)
STEPS = st.builds(
    PlanStep,
    st.integers(0, 600),
    st.sampled_from(
        [NotificationKind.PAGE, NotificationKind.REMINDER, NotificationKind.ESCALATION]
    ),
    st.lists(TARGETS, max_size=3).map(tuple),
    st.just(ALWAYS) | CONDITIONS,
)
PLANS = st.builds(
    Plan,
    st.lists(STEPS, max_size=5).map(tuple),
    st.integers(0, 4),
    st.none() | st.integers(0, 3),
    st.integers(1, 600),
)


@given(PLANS)
def test_plans_and_progress_survive_storage(plan: Plan) -> None:
    assert Plan.from_json(plan.to_json()) == plan
    progress = start(plan, NOW)
    assert Progress.from_json(progress.to_json()) == progress


@given(PLANS, st.lists(st.tuples(st.integers(0, 2000), FACTS, st.booleans()), max_size=30))
def test_decide_is_total_and_steps_have_unique_numbers(
    plan: Plan, moments: list[tuple[int, Facts, bool]]
) -> None:
    progress, now, numbers = start(plan, NOW), NOW, []
    for seconds, facts, hurried in moments:
        now += timedelta(seconds=seconds)
        if hurried:
            progress = advance_now(plan, progress, now)
        before = progress
        decision = decide(plan, progress, now, facts)
        progress = decision.progress
        if before.due is None or before.due > now:
            assert not decision.effects
            continue
        assert decision.effects
        numbers += [e.number for e in decision.effects if isinstance(e, (RunStep, Exhaust))]
        assert progress.due is None or progress.due >= now
        # Never silent: it continues, or announces its end.
        assert (progress.due is None) == isinstance(decision.effects[0], Exhaust)
        # A restart in between changes nothing.
        assert Progress.from_json(progress.to_json()) == progress
    assert len(numbers) == len(set(numbers))


@given(PLANS.filter(lambda plan: plan.rounds is not None), FACTS)
def test_a_bounded_plan_ends_in_exhaustion_never_in_silence(plan: Plan, facts: Facts) -> None:
    progress, last = start(plan, NOW), None
    for _ in range(200):
        if progress.due is None:
            break
        decision = decide(plan, progress, progress.due, facts)
        progress, last = decision.progress, decision.effects[-1]
    assert progress.due is None
    assert isinstance(last, Exhaust)


@given(PLANS, st.integers(0, 5))
def test_hurry_never_goes_back_and_is_due_now_or_unchanged(plan: Plan, steps: int) -> None:
    progress = start(plan, NOW)
    for _ in range(steps):
        if progress.due is not None:
            progress = decide(plan, progress, progress.due).progress
    now = NOW + timedelta(hours=1)
    hurried = advance_now(plan, progress, now)
    assert hurried == progress or hurried.due == now
    assert (hurried.round, hurried.run) >= (progress.round, progress.run)
    assert replace(hurried, due=None).run == progress.run
