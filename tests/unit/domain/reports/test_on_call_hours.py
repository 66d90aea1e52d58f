"""Hours by kind: tables, properties, and an oracle that looks at every minute."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.oncall.shifts import Shift
from incidentrelay.domain.reports.on_call_hours import (
    HOUR_KINDS,
    HourKind,
    HourRules,
    HoursCalculator,
    HourTotals,
    decimal,
    total_by_user,
)

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
# Europe changes at 01:00 UTC, Havana and Beirut at midnight, Lord Howe by half an hour.
ZONES = ("UTC", "Europe/Berlin", "America/Havana", "Asia/Beirut", "Australia/Lord_Howe")
CHANGES = (
    date(2026, 3, 28),
    date(2026, 3, 7),
    date(2026, 10, 24),
    date(2026, 10, 31),
    date(2026, 4, 4),
    date(2026, 10, 3),
)


def oracle(rules: HourRules, start: datetime, minutes: int) -> dict[HourKind, int]:
    """Looks at each minute; the wall never runs backwards, as everywhere in the product."""
    zone = ZoneInfo(rules.zone)
    reached = datetime(1, 1, 1)  # noqa: DTZ001 - the wall has no zone
    found = dict.fromkeys(HourKind, 0)
    # A clock that is put back shows again what it has shown before.
    for number in range(-180, minutes):
        wall = (start + number * MINUTE).astimezone(zone).replace(tzinfo=None)
        reached = max(reached, wall)
        if number >= 0:
            found[kind(rules, reached)] += 1
    return found


def kind(rules: HourRules, wall: datetime) -> HourKind:
    begins, ends, at = rules.night_from, rules.night_to, wall.time()
    night = begins <= at < ends if begins <= ends else at >= begins or at < ends
    if wall.date() in rules.holidays:
        return HourKind.HOLIDAY
    if wall.weekday() in rules.weekend:
        return HourKind.WEEKEND
    return HourKind.NIGHT if night else HourKind.WEEKDAY


times = st.builds(time, st.integers(0, 23), st.sampled_from((0, 15, 30)))
rule_sets = st.builds(
    HourRules,
    zone=st.sampled_from(ZONES),
    night_from=times,
    night_to=times,
    weekend=st.frozensets(st.integers(0, 6)),
    holidays=st.frozensets(st.sampled_from([day + timedelta(1) for day in CHANGES])),
)


@settings(max_examples=60, deadline=None)
@given(rule_sets, st.sampled_from(CHANGES), st.integers(0, 3000), st.integers(1, 1500))
def test_every_minute_matches_the_oracle(
    rules: HourRules, first: date, offset: int, minutes: int
) -> None:
    calculator = HoursCalculator(rules, first, first + timedelta(3))
    start = calculator.start + offset * MINUTE
    end = min(start + minutes * MINUTE, calculator.end)
    measured = calculator.measure(start, end)
    expected = oracle(rules, start, (end - start) // MINUTE)
    assert {one: getattr(measured, one) // MINUTE for one in HourKind} == expected


@given(rule_sets, st.integers(0, 350), st.integers(0, 40), st.lists(st.integers(0, 60_000)))
def test_kinds_add_up_and_cuts_change_nothing(
    rules: HourRules, day: int, days: int, cuts: list[int]
) -> None:
    first = date(2026, 1, 1) + timedelta(day)
    calculator = HoursCalculator(rules, first, first + timedelta(days))
    whole = calculator.measure(calculator.start, calculator.end)
    assert whole.total == calculator.end - calculator.start
    points = sorted(
        {calculator.start, calculator.end, *(calculator.start + cut * MINUTE for cut in cuts)}
    )
    parts = HourTotals()
    for low, high in pairwise(points):
        parts += calculator.measure(low, high)
    assert parts == whole


@given(rule_sets, st.integers(0, 300), st.integers(1, 60), st.data())
def test_two_periods_are_as_much_as_one(
    rules: HourRules, day: int, days: int, data: st.DataObject
) -> None:
    first = date(2026, 1, 1) + timedelta(day)
    cut, last = first + timedelta(data.draw(st.integers(0, days - 1))), first + timedelta(days)
    shift = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
    left, right = (
        HoursCalculator(rules, first, cut),
        HoursCalculator(rules, cut + timedelta(1), last),
    )
    whole = HoursCalculator(rules, first, last).measure(*shift)
    assert left.measure(*shift) + right.measure(*shift) == whole


def hours(measured: HourTotals) -> tuple[float, ...]:
    return tuple(getattr(measured, one) / HOUR for one in HOUR_KINDS)


@pytest.mark.parametrize(
    ("day", "rules", "expected"),
    [
        (date(2026, 3, 10), HourRules("UTC"), (16, 8, 0, 0)),
        (date(2026, 3, 14), HourRules("UTC"), (0, 0, 24, 0)),
        (
            date(2026, 3, 14),
            HourRules("UTC", holidays=frozenset({date(2026, 3, 14)})),
            (0, 0, 0, 24),
        ),
        (date(2026, 3, 29), HourRules("Europe/Berlin"), (0, 0, 23, 0)),
        (date(2026, 3, 29), HourRules("Europe/Berlin", weekend=frozenset()), (16, 7, 0, 0)),
        (date(2026, 10, 25), HourRules("Europe/Berlin", weekend=frozenset()), (16, 9, 0, 0)),
        (date(2026, 3, 10), HourRules("UTC", night_from=time(0), night_to=time(7)), (17, 7, 0, 0)),
        (date(2026, 3, 10), HourRules("UTC", night_from=time(20), night_to=time(0)), (20, 4, 0, 0)),
        (date(2026, 3, 10), HourRules("UTC", night_from=time(5), night_to=time(5)), (24, 0, 0, 0)),
    ],
)
def test_one_day(day: date, rules: HourRules, expected: tuple[float, ...]) -> None:
    calculator = HoursCalculator(rules, day, day)
    assert hours(calculator.measure(calculator.start, calculator.end)) == expected


def test_it_is_night_at_weekends_and_on_holidays_too() -> None:
    day = date(2026, 3, 14)
    calculator = HoursCalculator(HourRules("UTC", holidays=frozenset({day})), day, day)
    at = datetime(2026, 3, 14, tzinfo=UTC)
    nights = [calculator.at_night(at + hour * HOUR) for hour in (0, 5.99, 6, 21.99, 22)]
    assert nights == [True, True, False, False, True]


def test_totals_by_person_exclude_time_outside_the_period() -> None:
    calculator = HoursCalculator(HourRules("UTC"), date(2026, 3, 10), date(2026, 3, 10))
    shifts = [
        Shift(1, calculator.start - 5 * HOUR, calculator.start + 7 * HOUR, None, None),
        Shift(2, calculator.start + 7 * HOUR, calculator.start + 9 * HOUR, None, None),
        Shift(1, calculator.start + 9 * HOUR, calculator.end + 9 * HOUR, None, None),
        Shift(3, calculator.end, calculator.end + HOUR, None, None),
    ]
    found = {
        person: hours(measured) for person, measured in total_by_user(calculator, shifts).items()
    }
    assert found == {1: (14, 8, 0, 0), 2: (2, 0, 0, 0)}


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (date(2026, 3, 10), date(2026, 3, 9), "to"),
        (date(2026, 1, 1), date(2027, 2, 5), "to"),
        (date(1, 1, 1), date(1, 1, 1), "from"),
        (date(1969, 12, 31), date(1970, 1, 1), "from"),
        (date(2199, 12, 1), date(2199, 12, 30), "to"),
        (date(2199, 12, 31), date(2200, 1, 1), "to"),
    ],
)
def test_periods_that_are_refused(first: date, last: date, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        HoursCalculator(HourRules("UTC"), first, last)
    assert list(refused.value.errors) == [field]


def test_the_longest_period() -> None:
    calculator = HoursCalculator(HourRules("UTC"), date(2026, 1, 1), date(2027, 2, 4))
    assert calculator.end - calculator.start == timedelta(400)


def test_a_zone_that_does_not_exist() -> None:
    with pytest.raises(InvalidInput, match=r".*"):
        HoursCalculator(HourRules("Mars/Olympus"), date(2026, 1, 1), date(2026, 1, 1))


@pytest.mark.parametrize(
    ("measured", "text"),
    [
        (timedelta(0), "0.00"),
        (timedelta(minutes=90), "1.50"),
        (timedelta(seconds=18), "0.01"),
        (timedelta(seconds=17), "0.00"),
        (timedelta(days=50), "1200.00"),
    ],
)
def test_decimals(measured: timedelta, text: str) -> None:
    assert decimal(measured) == text
