"""Two versions of the same time, side by side."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.domain.oncall.diff import ShiftChange, changed_intervals, diff_shifts
from incidentrelay.domain.oncall.shifts import Shift

START = datetime(2026, 3, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hours: int) -> datetime:
    return START + hours * HOUR


def hourly(people: list[int | None]) -> list[Shift]:
    """Who is on call in each hour; None is nobody."""
    return [
        Shift(person, at(hour), at(hour + 1), "Base", None)
        for hour, person in enumerate(people)
        if person is not None
    ]


def test_equal_intervals_are_merged() -> None:
    found = changed_intervals(hourly([1, 1, 2, None, 1]), hourly([1, 1, 1, 1, 1]))
    assert found == [
        ShiftChange(at(0), at(2), 1, 1),
        ShiftChange(at(2), at(3), 2, 1),
        ShiftChange(at(3), at(4), None, 1),
        ShiftChange(at(4), at(5), 1, 1),
    ]


HOURS = st.lists(st.sampled_from([None, 1, 2]), min_size=1, max_size=12)


@given(before=HOURS, after=HOURS)
def test_changes_are_the_intervals_that_differ(
    before: list[int | None], after: list[int | None]
) -> None:
    found = changed_intervals(hourly(before), hourly(after))
    for hour in range(max(len(before), len(after))):
        sides = [(side.before, side.after) for side in found if side.start <= at(hour) < side.end]
        old = before[hour] if hour < len(before) else None
        new = after[hour] if hour < len(after) else None
        assert sides == [(old, new)] or (sides == [] and (old, new) == (None, None))
    assert diff_shifts(hourly(before), hourly(after)) == [
        side for side in found if side.before != side.after
    ]
