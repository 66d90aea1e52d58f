"""When silences are in force: rules, clocks that change, and an oracle for both."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.local_time import LATEST, offset_transitions
from incidentrelay.domain.silences import recurrence, silences
from incidentrelay.domain.silences.silences import RecurringSilence, SilenceWindow, recurring

usual = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Africa/Casablanca",
    "UTC",
)
RULES = (
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3",
    "FREQ=DAILY;BYDAY=SA,SU;BYMONTH=3,4,9,10,11",
    "FREQ=DAILY;BYMONTHDAY=1,-1",
    "FREQ=WEEKLY",
    "FREQ=WEEKLY;BYDAY=SU",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU",
    "FREQ=WEEKLY;INTERVAL=5;BYDAY=SA;BYMONTH=4,10",
    "FREQ=MONTHLY",
    "FREQ=MONTHLY;BYDAY=2TU,-1SU",
    "FREQ=MONTHLY;BYDAY=SU",
    "FREQ=MONTHLY;BYMONTHDAY=31",
    "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
    "FREQ=MONTHLY;INTERVAL=7;BYMONTHDAY=-1,15",
    "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=29",
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def made(
    rule: str,
    zone: str = "Europe/Berlin",
    start: str = "2026-01-01T02:30",
    duration: timedelta = HOUR,
) -> RecurringSilence:
    begin = datetime.fromisoformat(start)
    return recurring(rule, zone, begin.date(), begin.time(), duration)


def oracle(timing: RecurringSilence, rule: str, first: datetime, last: datetime) -> list[datetime]:
    """The starts between two instants: days of dateutil, walls read off minute by minute."""
    begin = datetime.combine(timing.starts_on, timing.start_time)
    naive = rrulestr(rule.replace("Z", ""), dtstart=begin)
    low = (first - 3 * DAY).replace(tzinfo=None)
    high = (last + 3 * DAY).replace(tzinfo=None)
    found = [_reached(wall, timing.zone) for wall in naive.between(low, high, inc=True)]
    return [start for start in dict.fromkeys(found) if first <= start < last]


def _reached(wall: datetime, zone: str) -> datetime:
    """The first minute at which the clock on the wall shows ``wall`` or later."""
    place = ZoneInfo(zone)
    moment = wall.replace(tzinfo=UTC) - 15 * HOUR
    while moment.astimezone(place).replace(tzinfo=None, fold=0) < wall:
        step = wall - moment.astimezone(place).replace(tzinfo=None, fold=0)
        # In leaps while a change of the clocks cannot be jumped over.
        moment += step - 3 * HOUR if step > 4 * HOUR else MINUTE
    return moment


@st.composite
def near_a_change(draw: Any) -> tuple[str, RecurringSilence, datetime]:
    """A rule of some zone, and an instant near a change of its clocks."""
    zone = draw(st.sampled_from(ZONES))
    year = draw(st.integers(2024, 2031))
    changes = list(
        offset_transitions(
            zone, datetime(year, 1, 1, tzinfo=UTC), datetime(year, 12, 1, tzinfo=UTC)
        )
    )
    about = draw(st.sampled_from([c.at for c in changes])) if changes else at("2027-03-28T01:00Z")
    about += draw(st.integers(-36 * 60, 36 * 60)) * MINUTE
    rule = draw(st.sampled_from(RULES))
    clock = draw(
        st.sampled_from([time(0), time(1, 45), time(2), time(2, 15), time(2, 30), time(23)])
    )
    starts_on = draw(st.dates(date(2019, 1, 1), date(2025, 12, 31)))
    duration = draw(st.integers(1, 40 * 60)) * MINUTE
    return rule, recurring(rule, zone, starts_on, clock, duration), about


@usual
@given(near_a_change())
def test_windows_are_those_of_the_oracle(drawn: tuple[str, RecurringSilence, datetime]) -> None:
    rule, timing, about = drawn
    first, last = about - 3 * DAY, about + 3 * DAY
    expected = [
        SilenceWindow(start, start + timing.duration)
        for start in oracle(timing, rule, first - timing.duration, last)
        if start + timing.duration > first
    ]
    assert list(silences.windows(timing, first, last)) == expected


@usual
@given(near_a_change())
def test_what_is_active_and_what_changes_next_follow_the_windows(
    drawn: tuple[str, RecurringSilence, datetime],
) -> None:
    _, timing, about = drawn
    around = list(silences.windows(timing, about - 3 * DAY, about + 60 * DAY))
    over_it = [window for window in around if window.start <= about < window.end]
    active = silences.active_at(timing, about)
    assert active == max(over_it, key=lambda window: window.end, default=None)
    changes = [each for window in around for each in (window.start, window.end) if each > about]
    following = silences.next_change(timing, about)
    if changes:
        assert following == min(changes)
    else:
        assert following is None or following >= about + 60 * DAY
    starts = [window.start for window in around if window.start > about]
    if starts:
        assert silences.next_start(timing, about) == min(starts)


@usual
@given(near_a_change(), st.integers(1, 30))
def test_a_counted_rule_has_that_many_windows(
    drawn: tuple[str, RecurringSilence, datetime], count: int
) -> None:
    rule, endless, _ = drawn
    timing = recurring(
        f"{rule};COUNT={count}",
        endless.zone,
        endless.starts_on,
        endless.start_time,
        endless.duration,
    )
    whole = silences.span(timing)
    found = list(silences.windows(timing, whole.start, whole.end))
    assert len(found) == count
    assert (found[0].start, found[-1].end) == (whole.start, whole.end)
    assert silences.next_change(timing, whole.end) is None
    assert silences.next_change(timing, whole.start - MINUTE) == whole.start


SPRING, AUTUMN = "2026-03-29", "2026-10-25"


@pytest.mark.parametrize(
    ("start", "duration", "day", "expected"),
    [
        # 02:30 does not exist: the first instant after the gap, 03:00 CEST.
        ("2026-01-01T02:30", HOUR, SPRING, ("01:00", "02:00")),
        # 02:30 happens twice: once, at the first.
        ("2026-01-01T02:30", HOUR, AUTUMN, ("00:30", "01:30")),
        # The length is elapsed time: three hours from 01:00 end at 05:00 or 03:00.
        ("2026-01-01T01:00", 3 * HOUR, SPRING, ("00:00", "03:00")),
        ("2026-01-01T01:00", 3 * HOUR, AUTUMN, ("23:00", "02:00")),
    ],
)
def test_the_clocks_of_berlin(
    start: str, duration: timedelta, day: str, expected: tuple[str, str]
) -> None:
    noon = at(f"{day}T12:00Z")
    found = list(
        silences.windows(made("FREQ=DAILY", start=start, duration=duration), noon - DAY, noon)
    )
    window = found[-1]
    assert (f"{window.start:%H:%M}", f"{window.end:%H:%M}") == expected


def test_a_day_that_a_zone_leaves_out_opens_one_window_not_two() -> None:
    timing = made("FREQ=DAILY", "Pacific/Apia", "2011-12-01T00:00", 2 * HOUR)
    found = list(silences.windows(timing, at("2011-12-29T00:00Z"), at("2012-01-01T00:00Z")))
    assert len(found) == len({window.start for window in found}) == 3


def test_a_rule_that_began_long_ago_costs_no_more() -> None:
    timing = made("FREQ=DAILY", start="1901-01-01T02:00")
    looked: list[date] = []
    days = recurrence.matching_days

    def watched(*args: Any) -> Any:
        for day in days(*args):
            looked.append(day)
            yield day

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recurrence, "matching_days", watched)
        assert silences.active_at(timing, at("2026-11-27T01:30Z")) is not None
        assert silences.next_change(timing, at("2026-11-27T01:30Z")) == at("2026-11-27T02:00Z")
    assert len(looked) < 20


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20260110", "2026-01-10T01:30Z"),
        ("20260110T013000Z", "2026-01-10T01:30Z"),
        ("20260110T012959Z", "2026-01-09T01:30Z"),
    ],
)
def test_until_is_inclusive(until: str, last: str) -> None:
    timing = made(f"FREQ=DAILY;UNTIL={until}")
    assert silences.span(timing) == SilenceWindow(at("2026-01-01T01:30Z"), at(last) + HOUR)


def test_a_rule_without_end_ends_with_all_times() -> None:
    assert silences.span(made("FREQ=WEEKLY")).end == LATEST
    assert silences.next_change(made("FREQ=WEEKLY"), at("2190-01-01T00:00Z")) is not None


def test_one_window() -> None:
    once = SilenceWindow(at("2026-01-01T00:00Z"), at("2026-01-01T01:00Z"))
    assert silences.active_at(once, once.start) == once
    assert silences.active_at(once, once.end) is None
    changes = [once.start - MINUTE, once.start, once.end]
    assert [silences.next_change(once, each) for each in changes] == [once.start, once.end, None]
    assert [silences.next_start(once, each) for each in changes] == [once.start, None, None]
    assert silences.span(once) == once


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("", "Write parts like"),
        ("INTERVAL=2", "Say how often"),
        ("FREQ=HOURLY", "FREQ is DAILY, WEEKLY or MONTHLY."),
        ("FREQ=MINUTELY", "FREQ is"),
        ("FREQ=YEARLY", "FREQ is"),
        ("FREQ=DAILY;FREQ=DAILY", "twice"),
        ("FREQ=DAILY;BYHOUR=3", "BYHOUR is not known"),
        ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS is not known"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL holds"),
        ("FREQ=DAILY;INTERVAL=367", "INTERVAL holds"),
        ("FREQ=DAILY;INTERVAL=x", "INTERVAL holds"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY holds"),
        ("FREQ=WEEKLY;BYDAY=2TU", "numbered weekday"),
        ("FREQ=WEEKLY;BYMONTHDAY=3", "BYMONTHDAY does not go"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY holds"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY holds"),
        ("FREQ=DAILY;COUNT=1001", "COUNT holds"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20300101", "not both"),
        ("FREQ=DAILY;UNTIL=20261332", "UNTIL is"),
        ("FREQ=DAILY;UNTIL=00010101", "the years 1970 to 2199"),
        ("FREQ=DAILY;UNTIL=00010101T000000Z", "the years 1970 to 2199"),
        ("FREQ=DAILY;UNTIL=99991231T235959Z", "the years 1970 to 2199"),
        ("FREQ=DAILY;UNTIL=20250101", "no day on which this begins"),
        ("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", "no day on which this begins"),
        ("FREQ=DAILY;WKST=9", "WKST is a weekday"),
        ("FREQ=DAILY;" + "X" * 500, "at most 500"),
    ],
)
def test_bad_rules(rule: str, sentence: str) -> None:
    with pytest.raises(InvalidInput) as error:
        made(rule)
    assert sentence in error.value.errors["rule"][0]


def test_a_rule_is_read_as_calendars_write_it() -> None:
    assert made("RRULE:freq=weekly;byday=mo,tu;").rule == made("FREQ=WEEKLY;BYDAY=TU,MO").rule


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(InvalidInput) as error:
        made("FREQ=DAILY", "Mars/Olympus")
    assert list(error.value.errors) == ["zone"]


def test_what_is_cut_off_ends_there() -> None:
    timing = replace(made("FREQ=DAILY", "UTC", "2026-01-01T02:00"), until=at("2026-01-03T02:15Z"))
    found = list(silences.windows(timing, at("2026-01-02T00:00Z"), at("2026-02-01T00:00Z")))
    assert [window.end for window in found] == [at("2026-01-02T03:00Z"), timing.until]
    assert silences.span(timing).end == timing.until
    assert silences.next_start(timing, timing.until) is None
    assert silences.next_change(timing, timing.until) is None
