"""Schedules for tests: a layer with sensible defaults, and random ones around DST changes."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from incidentrelay.domain.enums import ShiftUnit
from incidentrelay.domain.oncall.layers import Layer
from incidentrelay.domain.oncall.overrides import Override
from incidentrelay.domain.oncall.restrictions import Window
from incidentrelay.domain.oncall.schedule import Revision, Schedule

ANN, BOB, CAT, DAN = 1, 2, 3, 4

ZONES = (
    "UTC",
    "Europe/Berlin",
    "Europe/Dublin",
    "America/New_York",
    "America/St_Johns",
    "America/Havana",
    "America/Santiago",
    "America/Asuncion",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "Atlantic/Azores",
)
DAY = timedelta(days=1)
QUARTER = timedelta(minutes=15)


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def a_layer(**changes: Any) -> Layer:
    """Ann, Bob and Cat, a day each from 09:00 in UTC, since Monday, 5 January 2026."""
    layer = Layer(
        id=1,
        name="first line",
        members=(ANN, BOB, CAT),
        unit=ShiftUnit.DAYS,
        length=1,
        handoff_time=time(9),
        handoff_weekday=0,
        zone="UTC",
        start_date=date(2026, 1, 5),
    )
    return replace(layer, **changes)


def of(*layers: Layer, **fields: Any) -> Schedule:
    """A schedule of one revision with these layers, the lowest first."""
    return Schedule((Revision(None, layers),), **fields)


def office_hours(opens: time = time(9), closes: time = time(17)) -> tuple[Window, ...]:
    """Monday to Friday."""
    return tuple(Window(weekday, opens, closes) for weekday in range(5))


@lru_cache
def changes(zone: str) -> tuple[datetime, ...]:
    """The days (UTC) of 2020 to 2035 before which the clocks of ``zone`` change."""
    place = ZoneInfo(zone)
    days = [at(2020, 1, 1) + number * DAY for number in range(16 * 365)]
    offsets = [day.astimezone(place).utcoffset() for day in days]
    found = [days[n + 1] for n in range(len(days) - 1) if offsets[n] != offsets[n + 1]]
    return tuple(found) or (at(2026, 3, 29),)


zones = st.sampled_from(ZONES)
quarters = st.integers(0, 95).map(lambda n: time(n // 4, n % 4 * 15))
# Most changes of the clocks happen in these hours.
small_hours = st.integers(0, 15).map(lambda n: time(n // 4, n % 4 * 15))
clock_times = st.one_of(quarters, small_hours)


@st.composite
def turns_of_days(draw: st.DrawFn, zone: str, near: date, *, windows: bool = True) -> Layer:
    """A layer in ``zone`` whose turns take hours or days, or are weeks, near that date."""
    unit = draw(st.sampled_from([ShiftUnit.HOURS, ShiftUnit.DAYS, ShiftUnit.WEEKS]))
    longest = {ShiftUnit.HOURS: 40, ShiftUnit.DAYS: 4, ShiftUnit.WEEKS: 1}[unit]
    opening = st.builds(Window, st.integers(0, 6), clock_times, clock_times)
    return a_layer(
        id=draw(st.integers(1, 9)),
        name=draw(st.sampled_from(["one", "two"])),
        members=tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))),
        unit=unit,
        length=draw(st.integers(1, longest)),
        handoff_time=draw(clock_times),
        handoff_weekday=draw(st.integers(0, 6)),
        zone=zone,
        start_date=near + draw(st.integers(-4, 4)) * DAY,
        windows=tuple(draw(st.lists(opening, max_size=4))) if windows else (),
        turn_offset=draw(st.integers(0, 3)),
    )


@st.composite
def changing_days(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone, and a day near which its clocks change."""
    zone = draw(zones)
    return zone, draw(st.sampled_from(changes(zone)))


@st.composite
def schedules(draw: st.DrawFn, zone: str, near: datetime) -> Schedule:
    """One to three layers (not all in one zone), overrides, maybe a second revision."""
    place = st.sampled_from([zone, zone, "UTC"])
    layers = place.flatmap(lambda name: turns_of_days(name, near.date()))
    instants = st.integers(-400, 400).map(lambda n: near + n * QUARTER)
    spans = st.tuples(instants, st.integers(1, 300))
    overrides = [
        Override(number, draw(st.integers(1, 6)), start, start + length * QUARTER)
        for number, (start, length) in enumerate(draw(st.lists(spans, max_size=3)))
    ]
    revisions = [Revision(None, tuple(draw(st.lists(layers, max_size=3))))]
    if draw(st.booleans()):
        revisions.append(Revision(draw(instants), tuple(draw(st.lists(layers, max_size=2)))))
    gone = draw(st.frozensets(st.integers(1, 6), max_size=2))
    return Schedule(
        tuple(draw(st.permutations(revisions))), tuple(draw(st.permutations(overrides))), gone
    )
