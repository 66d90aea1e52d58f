"""Who is paged by two steps at once, as a table and against a minute-by-minute oracle."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.domain.escalation.conditions import LocalHours
from incidentrelay.domain.escalation.double_duty import DoubleDuty, DutyStep, find_double_duty
from incidentrelay.domain.oncall.restrictions import Interval
from incidentrelay.domain.oncall.shifts import Shift
from tests.unit.domain.oncall.schedule_samples import ANN, BOB, QUARTER, at

START = at(2026, 3, 9)
A, B, C = 1, 2, 3
# Rotation or layer by hours: (user, from, to).
Hours = tuple[int, int, int]


def hour(number: float) -> datetime:
    return START + timedelta(hours=number)


def duty(*hours: Hours) -> list[Shift]:
    return [Shift(user, hour(start), hour(end), "Layer", None) for user, start, end in hours]


def step(rotations: Mapping[int, Sequence[Hours]], *applies: tuple[int, int]) -> DutyStep:
    return DutyStep(
        {rotation_id: duty(*hours) for rotation_id, hours in rotations.items()},
        [Interval(hour(start), hour(end)) for start, end in applies] or None,
    )


ALL_DAY = [(ANN, 0, 24)]
HALVES = [(ANN, 0, 12), (BOB, 12, 24)]
HANDOFFS = [(ANN, 0, 8), (ANN, 8, 16), (ANN, 16, 24)]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], []),
        ([step({A: ALL_DAY})], []),
        ([step({A: ALL_DAY}), step({B: [(BOB, 0, 24)]})], []),
        ([step({A: ALL_DAY}), step({B: ALL_DAY})], [(ANN, 0, 24, A, B)]),
        ([step({B: ALL_DAY}), step({A: ALL_DAY})], [(ANN, 0, 24, B, A)]),
        # Cut to the time in both.
        (
            [step({A: HALVES}), step({B: [(ANN, 6, 18)]})],
            [(ANN, 6, 12, A, B)],
        ),
        # They touch, but do not overlap.
        ([step({A: [(ANN, 0, 12)]}), step({B: [(ANN, 12, 24)]})], []),
        # A handoff to the same person is no interruption; somebody else is.
        ([step({A: HANDOFFS}), step({B: ALL_DAY})], [(ANN, 0, 24, A, B)]),
        (
            [step({A: [(ANN, 0, 8), (BOB, 8, 9), (ANN, 9, 24)]}), step({B: ALL_DAY})],
            [(ANN, 0, 8, A, B), (ANN, 9, 24, A, B)],
        ),
        # The same rotation again is a reminder, two targets of one step are one page.
        ([step({A: ALL_DAY}), step({A: ALL_DAY})], []),
        ([step({A: ALL_DAY, B: ALL_DAY})], []),
        ([step({A: ALL_DAY, B: ALL_DAY}), step({C: [(BOB, 0, 24)]})], []),
        ([step({A: ALL_DAY, B: ALL_DAY}), step({B: ALL_DAY})], [(ANN, 0, 24, A, B)]),
        # Each pair once, in the order of the plan.
        (
            [step({A: ALL_DAY}), step({B: ALL_DAY}), step({A: ALL_DAY}), step({C: ALL_DAY})],
            [(ANN, 0, 24, A, B), (ANN, 0, 24, A, C), (ANN, 0, 24, B, C)],
        ),
        # By start, regardless of the person.
        (
            [step({A: HALVES}), step({B: HALVES})],
            [(ANN, 0, 12, A, B), (BOB, 12, 24, A, B)],
        ),
        # Steps apply in their hours.
        ([step({A: ALL_DAY}, (0, 8)), step({B: ALL_DAY}, (8, 24))], []),
        (
            [step({A: HANDOFFS}, (6, 9), (20, 30)), step({B: ALL_DAY}, (0, 7), (21, 22))],
            [(ANN, 6, 7, A, B), (ANN, 21, 22, A, B)],
        ),
    ],
)
def test_double_duty(
    steps: Sequence[DutyStep], expected: list[tuple[int, int, int, int, int]]
) -> None:
    assert find_double_duty(steps) == [
        DoubleDuty(user, hour(start), hour(end), first, second)
        for user, start, end, first, second in expected
    ]


def test_hours_are_local() -> None:
    nights = LocalHours((0, 1), time(22), time(6), "UTC")
    assert nights.between(hour(0), hour(48)) == [
        Interval(hour(22), hour(30)),
        Interval(hour(46), hour(48)),
    ]


# Against an oracle that asks every quarter of an hour

LONG = 40


@st.composite
def shift_lists(draw: st.DrawFn) -> list[Shift]:
    cuts = sorted(draw(st.sets(st.integers(0, LONG), max_size=8)))
    people = st.sampled_from((None, ANN, BOB))
    return [
        Shift(user, START + start * QUARTER, START + end * QUARTER, None, None)
        for start, end in pairwise(cuts)
        if (user := draw(people)) is not None
    ]


@st.composite
def plans(draw: st.DrawFn) -> list[DutyStep]:
    rotations = {rotation_id: draw(shift_lists()) for rotation_id in (A, B, C)}
    steps = []
    for _ in range(draw(st.integers(0, 4))):
        chosen = draw(st.lists(st.sampled_from((A, B, C)), unique=True))
        hours = None
        if draw(st.booleans()):
            hours = [Interval(each.start, each.end) for each in draw(shift_lists())]
        steps.append(DutyStep({key: rotations[key] for key in chosen}, hours))
    return steps


def paged(found: DutyStep, rotation_id: int, user_id: int, instant: datetime) -> bool:
    def at_that_time(each: Shift | Interval) -> bool:
        return each.start <= instant < each.end

    applies = found.hours is None or any(map(at_that_time, found.hours))
    return applies and any(
        each.user_id == user_id and at_that_time(each) for each in found.rotations[rotation_id]
    )


def oracle(steps: Sequence[DutyStep], user_id: int, instant: datetime) -> set[frozenset[int]]:
    return {
        frozenset({one, two})
        for first, earlier in enumerate(steps)
        for later in steps[first + 1 :]
        for one in earlier.rotations
        for two in later.rotations
        if one != two
        and paged(earlier, one, user_id, instant)
        and paged(later, two, user_id, instant)
    }


@given(plans())
def test_it_agrees_with_every_instant(steps: list[DutyStep]) -> None:
    found = find_double_duty(steps)
    for user_id in (ANN, BOB):
        for number in range(LONG + 1):
            instant = START + number * QUARTER
            pairs = [
                frozenset({each.first_rotation_id, each.second_rotation_id})
                for each in found
                if each.user_id == user_id and each.start <= instant < each.end
            ]
            assert len(pairs) == len(set(pairs))
            assert set(pairs) == oracle(steps, user_id, instant)


@given(plans())
def test_intervals_are_in_order_and_as_long_as_possible(steps: list[DutyStep]) -> None:
    found = find_double_duty(steps)
    assert [each.start for each in found] == sorted(each.start for each in found)
    ends: dict[tuple[int, int, int], datetime] = defaultdict(lambda: START - QUARTER)
    for each in found:
        key = (each.user_id, each.first_rotation_id, each.second_rotation_id)
        assert ends[key] < each.start < each.end
        ends[key] = each.end
