"""Restrictions: which instants they cover, and which shifts take a turn."""

from datetime import date, datetime, time, timedelta

import pytest

from incidentrelay.domain.enums import ShiftUnit
from incidentrelay.domain.oncall.restrictions import Window, covered, next_opening
from incidentrelay.domain.oncall.shifts import shifts
from incidentrelay.domain.oncall.turns import handoff, shift_at, turn_number
from tests.unit.domain.oncall.schedule_samples import ANN, BOB, CAT, a_layer, at, of, office_hours

DAYS, WEEKS, MONTHS, HOURS = ShiftUnit.DAYS, ShiftUnit.WEEKS, ShiftUnit.MONTHS, ShiftUnit.HOURS


def test_turns_count_covered_shifts_only() -> None:
    layer = a_layer(handoff_time=time(0), windows=office_hours())
    found = shifts(of(layer), at(2026, 1, 5), at(2026, 1, 14))
    assert [(each.user_id, each.start.day) for each in found] == [
        (ANN, 5),
        (BOB, 6),
        (CAT, 7),
        (ANN, 8),
        (BOB, 9),
        (CAT, 12),
        (ANN, 13),
    ]
    assert all(each.end - each.start == timedelta(hours=8) for each in found)


def test_a_rotation_of_fourteen_on_weekdays_gives_everybody_a_turn() -> None:
    layer = a_layer(members=tuple(range(14)), windows=office_hours())
    found = shifts(of(layer), at(2026, 1, 5), at(2026, 1, 23))
    assert [each.user_id for each in found] == list(range(14))


def test_any_covered_instant_counts_and_the_grid_does_not_move() -> None:
    # Handed over at noon, a weekday window lies in two shifts of the grid.
    layer = a_layer(handoff_time=time(12), windows=(Window(0, time(9), time(17)),))
    found = shifts(of(layer), at(2026, 1, 5), at(2026, 1, 13))
    assert [(each.user_id, each.start, each.end) for each in found] == [
        (CAT, at(2026, 1, 5, 9), at(2026, 1, 5, 12)),
        (ANN, at(2026, 1, 5, 12), at(2026, 1, 5, 17)),
        (BOB, at(2026, 1, 12, 9), at(2026, 1, 12, 12)),
        (CAT, at(2026, 1, 12, 12), at(2026, 1, 12, 17)),
    ]


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        pytest.param(
            (Window(0, time(22), time(6)),),
            [(at(2026, 1, 5, 22), at(2026, 1, 6, 6))],
            id="overnight",
        ),
        pytest.param(
            (Window(2, time(9), time(9)),),
            [(at(2026, 1, 7, 9), at(2026, 1, 8, 9))],
            id="equal times are a whole day",
        ),
        pytest.param(
            (Window(6, time(12), time(0)),),
            [(at(2026, 1, 11, 12), at(2026, 1, 12))],
            id="until midnight, over the end of the week",
        ),
        pytest.param(
            (Window(0, time(9), time(12)), Window(0, time(11), time(17))),
            [(at(2026, 1, 5, 9), at(2026, 1, 5, 17))],
            id="overlapping windows are one",
        ),
        pytest.param(
            (Window(1, time(0), time(6)), Window(0, time(18), time(0))),
            [(at(2026, 1, 5, 18), at(2026, 1, 6, 6))],
            id="windows that touch are one",
        ),
    ],
)
def test_windows(windows: tuple[Window, ...], expected: list[tuple[datetime, datetime]]) -> None:
    layer = a_layer(unit=WEEKS, length=2, handoff_time=time(0), windows=windows)
    found = shifts(of(layer), at(2026, 1, 5), at(2026, 1, 12))
    assert [(each.start, each.end) for each in found] == expected


@pytest.mark.parametrize(
    ("day", "opens", "closes", "hours"),
    [
        pytest.param(at(2026, 3, 28, 12), time(2, 15), time(2, 45), 0, id="swallowed"),
        pytest.param(at(2026, 3, 28, 12), time(2), time(3), 0, id="exactly the gap"),
        pytest.param(at(2026, 3, 28, 12), time(1), time(4), 2, id="around the gap"),
        pytest.param(at(2026, 3, 28, 12), time(2, 30), time(4), 1, id="opens in the gap"),
        pytest.param(
            at(2026, 10, 24, 12), time(2, 15), time(2, 45), 0.5, id="in the first of both"
        ),
        pytest.param(at(2026, 10, 24, 12), time(2), time(3), 2, id="exactly the repeated hour"),
        pytest.param(at(2026, 10, 24, 12), time(2, 30), time(4), 2.5, id="opens in the first"),
        pytest.param(at(2026, 10, 24, 12), time(0), time(0), 25, id="the whole day"),
    ],
)
def test_windows_on_the_sunday_of_a_change(
    day: datetime, opens: time, closes: time, hours: float
) -> None:
    layer = a_layer(zone="Europe/Berlin", unit=WEEKS, windows=(Window(6, opens, closes),))
    found = shifts(of(layer), day, day + timedelta(days=2))
    total = sum((each.end - each.start for each in found), timedelta(0))
    assert total == timedelta(hours=hours)


def test_an_empty_interval_or_no_windows_cover_nothing() -> None:
    monday = at(2026, 1, 5, 12)
    assert covered(office_hours(), "UTC", monday, monday) == []
    assert covered((), "UTC", monday, monday + timedelta(days=7)) == []
    assert next_opening((), "UTC", monday) == monday


def test_the_next_opening_is_now_or_later() -> None:
    windows = (Window(6, time(2, 15), time(2, 45)),)
    assert next_opening(office_hours(), "UTC", at(2026, 1, 5, 12)) == at(2026, 1, 5, 12)
    assert next_opening(office_hours(), "UTC", at(2026, 1, 9, 17)) == at(2026, 1, 12, 9)
    # The next Sunday has no such time in Berlin.
    assert next_opening(windows, "Europe/Berlin", at(2026, 3, 23)) == at(2026, 4, 5, 0, 15)


def test_a_window_inside_another_adds_nothing() -> None:
    windows = (Window(0, time(9), time(17)), Window(0, time(10), time(12)))
    (only,) = covered(windows, "UTC", at(2026, 1, 5), at(2026, 1, 12))
    assert (only.start, only.end) == (at(2026, 1, 5, 9), at(2026, 1, 5, 17))


def test_a_skipped_window_takes_no_turn() -> None:
    layer = a_layer(
        zone="Europe/Berlin",
        start_date=date(2026, 3, 16),
        unit=WEEKS,
        windows=(Window(6, time(2, 15), time(2, 45)),),
    )
    found = shifts(of(layer), at(2026, 3, 16, 8), at(2026, 4, 13))
    assert [(each.user_id, each.start.date()) for each in found] == [
        (ANN, date(2026, 3, 22)),
        (BOB, date(2026, 4, 5)),
        (CAT, date(2026, 4, 12)),
    ]


def test_turns_far_from_the_start_are_counted_as_if_one_by_one() -> None:
    nights = (Window(6, time(2, 15), time(2, 45)), Window(2, time(22), time(6)))
    for unit, length in [(HOURS, 7), (DAYS, 1), (DAYS, 3), (WEEKS, 1), (MONTHS, 1)]:
        layer = a_layer(
            unit=unit,
            length=length,
            zone="Europe/Berlin",
            start_date=date(2020, 1, 1),
            windows=nights,
        )
        last = shift_at(layer, at(2022, 6, 1))
        found = shifts(of(layer), handoff(layer, 0), handoff(layer, last))
        taken = {shift_at(layer, each.start) for each in found}
        assert turn_number(layer, last) == len(taken)
