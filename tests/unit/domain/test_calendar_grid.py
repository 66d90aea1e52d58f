"""The calendar's layout: days of a zone, blocks without holes, slots."""

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidentrelay.domain.calendar_grid import (
    FIRST_DAY,
    HUES,
    LAST_DAY,
    MOST_DAYS,
    SLOTS,
    CalendarView,
    GridBlock,
    day_at,
    days_of,
    grid_blocks,
    grid_segments,
    grid_weeks,
    hue_of,
    slot_at,
    step_view,
    whole_shifts,
)
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.oncall.overrides import Override
from incidentrelay.domain.oncall.schedule import Schedule
from incidentrelay.domain.oncall.shifts import on_call
from tests.unit.domain.oncall.schedule_samples import (
    ANN,
    BOB,
    DAY,
    ZONES,
    a_layer,
    at,
    changing_days,
    of,
    office_hours,
    schedules,
)

HOUR = timedelta(hours=1)
any_day = st.dates(FIRST_DAY, LAST_DAY)
any_zone = st.sampled_from(ZONES)
any_view = st.sampled_from(CalendarView)


@pytest.mark.parametrize(
    ("view", "day", "first", "last"),
    [
        (CalendarView.WEEK, date(2026, 11, 25), date(2026, 11, 23), date(2026, 11, 29)),
        (CalendarView.WEEK, date(2026, 11, 23), date(2026, 11, 23), date(2026, 11, 29)),
        (CalendarView.WEEK, date(2026, 11, 29), date(2026, 11, 23), date(2026, 11, 29)),
        (CalendarView.MONTH, date(2026, 11, 25), date(2026, 10, 26), date(2026, 12, 6)),
        (CalendarView.MONTH, date(2027, 2, 10), date(2027, 2, 1), date(2027, 2, 28)),
        (CalendarView.MONTH, date(2026, 12, 31), date(2026, 11, 30), date(2027, 1, 3)),
    ],
)
def test_whole_weeks_are_shown(view: CalendarView, day: date, first: date, last: date) -> None:
    days = days_of(view, day, "Europe/Berlin")
    assert (days[0].date, days[-1].date) == (first, last)


@given(any_view, any_day, any_zone)
def test_days_follow_each_other(view: CalendarView, day: date, zone: str) -> None:
    days = days_of(view, day, zone)
    assert day in [each.date for each in days]
    assert len(days) % 7 == 0
    assert len(days) <= MOST_DAYS
    assert [len(week) for week in grid_weeks(days)] == [7] * (len(days) // 7)
    assert all(one.end == two.start for one, two in pairwise(days))
    assert all(day_at(each.start, zone) == each.date for each in days if each.length)


@pytest.mark.parametrize(
    ("zone", "day", "change"),
    [
        ("Europe/Berlin", date(2026, 3, 29), -HOUR),
        ("Europe/Berlin", date(2026, 10, 25), HOUR),
        ("Europe/Berlin", date(2026, 10, 26), 0 * HOUR),
        ("Africa/Cairo", date(2026, 4, 24), -HOUR),
        ("America/Havana", date(2024, 11, 3), HOUR),
        ("Australia/Lord_Howe", date(2026, 4, 5), HOUR / 2),
        ("Pacific/Apia", date(2011, 12, 30), -24 * HOUR),
    ],
)
def test_length_of_days(zone: str, day: date, change: timedelta) -> None:
    (found,) = (each for each in days_of(CalendarView.WEEK, day, zone) if each.date == day)
    assert found.change == change
    assert found.length == DAY + change


def test_weekends() -> None:
    days = days_of(CalendarView.WEEK, date(2026, 11, 23), "UTC")
    assert [day.weekend for day in days] == [False] * 5 + [True] * 2


@pytest.mark.parametrize(
    ("day", "zone", "field"),
    [
        (FIRST_DAY - DAY, "UTC", "date"),
        (LAST_DAY + DAY, "UTC", "date"),
        (date(2026, 1, 1), "Mars/Phobos", "zone"),
    ],
)
def test_days_outside_the_range_are_rejected(day: date, zone: str, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        days_of(CalendarView.MONTH, day, zone)
    assert list(refused.value.errors) == [field]


@pytest.mark.parametrize(
    ("view", "day", "by", "there"),
    [
        (CalendarView.WEEK, date(2026, 11, 25), 1, date(2026, 11, 30)),
        (CalendarView.WEEK, date(2026, 11, 25), -1, date(2026, 11, 16)),
        (CalendarView.MONTH, date(2026, 1, 31), 1, date(2026, 2, 1)),
        (CalendarView.MONTH, date(2026, 1, 31), -1, date(2025, 12, 1)),
        (CalendarView.MONTH, date(2026, 12, 31), 1, date(2027, 1, 1)),
    ],
)
def test_steps(view: CalendarView, day: date, by: int, there: date) -> None:
    assert step_view(view, day, by) == there


@given(any_view, any_day)
def test_a_step_forth_and_back_stays(view: CalendarView, day: date) -> None:
    there = step_view(view, day, 1)
    assert there > day
    back = step_view(view, there, -1)
    assert back <= day < there
    # The dates at the edge can be left by one step, and the page still opens.
    assert days_of(view, min(max(there, FIRST_DAY), LAST_DAY), "UTC")


def test_shifts_have_their_true_ends() -> None:
    schedule = of(
        a_layer(members=(ANN, BOB)), overrides=(Override(1, BOB, at(2026, 1, 1), at(2026, 3, 1)),)
    )
    found = whole_shifts(schedule, at(2026, 2, 1), at(2026, 2, 2))
    assert [(one.user_id, one.start, one.end) for one in found] == [
        (BOB, at(2026, 1, 1), at(2026, 3, 1))
    ]
    assert whole_shifts(Schedule(()), at(2026, 2, 1), at(2026, 2, 2)) == []


@settings(deadline=None)
@given(st.data())
def test_shifts_are_those_of_the_engine(data: st.DataObject) -> None:
    zone, near = data.draw(changing_days())
    schedule = data.draw(schedules(zone, near))
    days = days_of(CalendarView.WEEK, day_at(near, zone), zone)
    for shift in whole_shifts(schedule, days[0].start, days[-1].end):
        inside = max(shift.start, days[0].start)
        assert on_call(schedule, inside) == shift


@settings(deadline=None)
@given(st.data())
def test_blocks_and_slots_fill_every_week(data: st.DataObject) -> None:
    zone, near = data.draw(changing_days())
    schedule = data.draw(schedules(zone, near))
    days = days_of(data.draw(any_view), day_at(near, zone), zone)
    start, end = days[0].start, days[-1].end
    found = grid_blocks(whole_shifts(schedule, start, end), start, end)
    assert found[0].start <= start
    assert found[-1].end >= end
    assert all(one.end == two.start for one, two in pairwise(found))
    for week in grid_weeks(days):
        parts = grid_segments(found, week)
        assert sum(part.slots for part in parts) == SLOTS * len(week)
        assert parts[0].start == week[0].start
        assert parts[-1].end == week[-1].end
        assert all(one.end == two.start for one, two in pairwise(parts))
        assert all(part.slots >= 0 for part in parts)


def test_gaps_at_the_edges_do_not_say_when_they_begin_and_end() -> None:
    schedule = of(a_layer(windows=office_hours(), zone="UTC"))
    days = days_of(CalendarView.WEEK, date(2026, 11, 25), "UTC")
    start, end = days[0].start, days[-1].end
    found = grid_blocks(whole_shifts(schedule, start, end), start, end)
    nobody = [block for block in found if block.user_id is None]
    assert [(block.begins, block.ends) for block in nobody] == [
        (False, True),
        *[(True, True)] * 4,
        (True, False),
    ]
    parts = grid_segments(found, days)
    assert (parts[0].opens, parts[0].closes, parts[0].slots) == (False, True, 9 * 4)
    assert (parts[1].opens, parts[1].closes, parts[1].slots) == (True, True, 8 * 4)


def test_a_block_that_goes_over_a_week_is_open_there() -> None:
    days = days_of(CalendarView.MONTH, date(2026, 11, 25), "UTC")
    block = GridBlock(days[5].start, days[9].start, ANN)
    first, second = ([*grid_segments([block], week)] for week in list(grid_weeks(days))[:2])
    assert [(part.opens, part.closes, part.slots) for part in first] == [(True, False, 2 * SLOTS)]
    assert [(part.opens, part.closes, part.slots) for part in second] == [(False, True, 2 * SLOTS)]


@pytest.mark.parametrize(
    ("instant", "slot"),
    [
        (at(2026, 10, 18), 0),
        (at(2026, 10, 18, 22), 0),
        (at(2026, 10, 19, 10), 48),
        (at(2026, 10, 24, 22), 6 * SLOTS),
        # The last day has 25 hours, and half of it has passed after twelve and a half.
        (at(2026, 10, 25, 10, 30), 6 * SLOTS + 48),
        (at(2026, 10, 25, 23), 7 * SLOTS),
        (at(2026, 11, 1), 7 * SLOTS),
    ],
)
def test_slot_of_an_instant(instant: datetime, slot: int) -> None:
    assert slot_at(instant, days_of(CalendarView.WEEK, date(2026, 10, 25), "Europe/Berlin")) == slot


def test_a_day_that_a_zone_skips_has_a_column_but_no_time() -> None:
    days = days_of(CalendarView.WEEK, date(2011, 12, 30), "Pacific/Apia")
    assert days[4].length == timedelta(0)
    assert slot_at(days[4].start, days) == 5 * SLOTS
    assert grid_segments([GridBlock(days[0].start, days[-1].end, ANN)], days)[0].slots == 7 * SLOTS


@given(st.integers(min_value=1))
def test_everybody_has_a_colour(user_id: int) -> None:
    assert 0 <= hue_of(user_id) < HUES
    assert hue_of(user_id) != hue_of(user_id + 1)
