"""The turns of one layer: local time, clock changes, and anchors."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from incidentrelay.domain.enums import ShiftUnit
from incidentrelay.domain.local_time import zone_of
from incidentrelay.domain.oncall.shifts import gaps, on_call, shifts
from incidentrelay.domain.oncall.turns import handoff, shift_at, turn_number
from tests.unit.domain.oncall.schedule_samples import ANN, BOB, CAT, a_layer, at, of

WEEKS, MONTHS, HOURS = ShiftUnit.WEEKS, ShiftUnit.MONTHS, ShiftUnit.HOURS


def local_handoffs(layer_changes: Mapping[str, Any], numbers: range) -> list[str]:
    layer = a_layer(**layer_changes)
    place = zone_of(layer.zone)
    return [f"{handoff(layer, n).astimezone(place):%m-%d %H:%M%z}" for n in numbers]


@pytest.mark.parametrize(
    ("zone", "start", "handoff_time", "expected"),
    [
        pytest.param(
            "Europe/Berlin",
            date(2026, 3, 28),
            time(9),
            ["03-28 09:00+0100", "03-29 09:00+0200", "03-30 09:00+0200"],
            id="the hour on the wall stays in spring",
        ),
        pytest.param(
            "Europe/Berlin",
            date(2026, 3, 28),
            time(2, 30),
            ["03-28 02:30+0100", "03-29 03:00+0200", "03-30 02:30+0200"],
            id="a skipped time is the first instant after the gap",
        ),
        pytest.param(
            "Europe/Berlin",
            date(2026, 10, 24),
            time(2, 30),
            ["10-24 02:30+0200", "10-25 02:30+0200", "10-26 02:30+0100"],
            id="a repeated time is the first of both",
        ),
        pytest.param(
            "Australia/Lord_Howe",
            date(2026, 10, 3),
            time(2, 15),
            ["10-03 02:15+1030", "10-04 02:30+1100", "10-05 02:15+1100"],
            id="a gap of half an hour",
        ),
        pytest.param(
            "Australia/Lord_Howe",
            date(2026, 4, 4),
            time(1, 45),
            ["04-04 01:45+1100", "04-05 01:45+1100", "04-06 01:45+1030"],
            id="half an hour twice",
        ),
        pytest.param(
            "America/Sao_Paulo",
            date(2018, 11, 3),
            time(0),
            ["11-03 00:00-0300", "11-04 01:00-0200", "11-05 00:00-0200"],
            id="a day without a midnight",
        ),
        pytest.param(
            "America/Havana",
            # Past rules: tzdata revises future ones.
            date(2024, 11, 2),
            time(0),
            ["11-02 00:00-0400", "11-03 00:00-0400", "11-04 00:00-0500"],
            id="a day with two midnights",
        ),
        pytest.param(
            "Asia/Kathmandu",
            date(2026, 3, 28),
            time(9),
            ["03-28 09:00+0545", "03-29 09:00+0545", "03-30 09:00+0545"],
            id="an odd offset",
        ),
        pytest.param(
            "Africa/Casablanca",
            date(2024, 3, 9),
            time(2, 30),
            ["03-09 02:30+0100", "03-10 02:30+0100", "03-11 02:30+0000"],
            id="Ramadan",
        ),
    ],
)
def test_a_daily_handoff_follows_the_clock_on_the_wall(
    zone: str, start: date, handoff_time: time, expected: list[str]
) -> None:
    changes = {"zone": zone, "start_date": start, "handoff_time": handoff_time}
    assert local_handoffs(changes, range(3)) == expected


def test_a_repeated_handoff_makes_one_longer_shift() -> None:
    layer = a_layer(zone="Europe/Berlin", start_date=date(2026, 10, 24), handoff_time=time(2, 30))
    found = shifts(of(layer), at(2026, 10, 24, 0, 30), at(2026, 10, 27, 1, 30))
    assert [(each.user_id, each.end - each.start) for each in found] == [
        (ANN, timedelta(hours=24)),
        (BOB, timedelta(hours=25)),
        (CAT, timedelta(hours=24)),
    ]


def test_a_weekly_handoff_moves_in_utc_between_winter_and_summer() -> None:
    layer = a_layer(unit=WEEKS, zone="Europe/Berlin", start_date=date(2026, 3, 23))
    assert [handoff(layer, n) for n in range(2)] == [at(2026, 3, 23, 8), at(2026, 3, 30, 7)]


def test_hours_are_elapsed_time() -> None:
    layer = a_layer(unit=HOURS, length=12, zone="Europe/Berlin", start_date=date(2026, 3, 28))
    assert [handoff(layer, n) for n in range(4)] == [
        at(2026, 3, 28, 8),
        at(2026, 3, 28, 20),
        at(2026, 3, 29, 8),
        at(2026, 3, 29, 20),
    ]


def test_the_first_shift_of_weeks_begins_on_the_last_handoff_weekday_not_after_the_start() -> None:
    thursday = date(2026, 1, 8)
    for weekday, first in [(0, 5), (3, 8), (4, 2)]:
        layer = a_layer(unit=WEEKS, start_date=thursday, handoff_weekday=weekday)
        assert handoff(layer, 0) == at(2026, 1, first, 9)
        shift = on_call(of(layer), at(2026, 1, 8, 12))
        assert shift is not None
        assert (shift.user_id, shift.start) == (ANN, at(2026, 1, first, 9))


def test_a_month_that_is_too_short_hands_over_on_its_last_day() -> None:
    changes = {"unit": MONTHS, "start_date": date(2027, 10, 31)}
    assert [text[:5] for text in local_handoffs(changes, range(-1, 7))] == [
        "09-30",
        "10-31",
        "11-30",
        "12-31",
        "01-31",
        "02-29",
        "03-31",
        "04-30",
    ]


def test_months_are_computed_from_the_start_date() -> None:
    changes = {"unit": MONTHS, "length": 2, "start_date": date(2026, 12, 31)}
    assert [text[:5] for text in local_handoffs(changes, range(4))] == [
        "12-31",
        "02-28",
        "04-30",
        "06-30",
    ]


@pytest.mark.parametrize("unit", list(ShiftUnit))
def test_turns_run_backwards_before_the_start(unit: ShiftUnit) -> None:
    layer = a_layer(unit=unit, length=1)
    start = handoff(layer, 0)
    before = on_call(of(layer), start - timedelta(seconds=1))
    assert before is not None
    assert (before.user_id, before.end) == (CAT, start)
    assert [turn_number(layer, n) for n in (-2, -1, 0, 1)] == [-2, -1, 0, 1]


def test_a_skipped_day_takes_no_turn() -> None:
    layer = a_layer(zone="Pacific/Apia", start_date=date(2011, 12, 28), handoff_time=time(0))
    found = shifts(of(layer), at(2011, 12, 28, 10), at(2012, 1, 1, 10))
    assert [(each.user_id, each.start) for each in found] == [
        (ANN, at(2011, 12, 28, 10)),
        (BOB, at(2011, 12, 29, 10)),
        (CAT, at(2011, 12, 30, 10)),
        (ANN, at(2011, 12, 31, 10)),
    ]
    # The 30th of December does not exist there; the 31st is the third shift that does.
    assert handoff(layer, 2) == handoff(layer, 3)
    assert [turn_number(layer, n) for n in range(5)] == [0, 1, 2, 2, 3]


def test_a_skipped_day_before_the_start_takes_no_turn_either() -> None:
    layer = a_layer(zone="Pacific/Apia", start_date=date(2012, 1, 1), handoff_time=time(0))
    assert [turn_number(layer, n) for n in (-4, -3, -2, -1, 0)] == [-3, -2, -1, -1, 0]
    assert shift_at(layer, handoff(layer, -2)) == -1


def test_the_rest_of_a_skipped_day_is_a_short_shift() -> None:
    layer = a_layer(zone="Pacific/Apia", start_date=date(2011, 12, 28))
    found = shifts(of(layer), at(2011, 12, 29, 19), at(2011, 12, 31, 19))
    assert [(each.user_id, each.end - each.start) for each in found] == [
        (BOB, timedelta(hours=15)),
        (CAT, timedelta(hours=9)),
        (ANN, timedelta(hours=24)),
    ]


def test_a_repeated_evening_belongs_to_the_new_shift() -> None:
    # In St. John's the clocks went back from 00:01 to 23:01 of the day before.
    layer = a_layer(zone="America/St_Johns", start_date=date(2010, 11, 6), handoff_time=time(0))
    again_half_past_eleven = at(2010, 11, 7, 3)
    assert shift_at(layer, again_half_past_eleven) == 1
    assert handoff(layer, 1) == at(2010, 11, 7, 2, 30)


def test_the_engine_agrees_with_itself_at_the_edges_of_its_years() -> None:
    layer = a_layer(zone="Europe/Berlin", unit=WEEKS)
    first, last = datetime(1900, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, tzinfo=UTC)
    for instant in (first, last):
        shift = on_call(of(layer), instant)
        assert shift is not None
        assert shift.start <= instant < shift.end
    found = shifts(of(layer), last, last + timedelta(hours=12))
    assert gaps(found, last, last + timedelta(hours=12)) == []
