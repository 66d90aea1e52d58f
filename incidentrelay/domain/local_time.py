"""The clock on the wall of a time zone, and the instants behind it.

The rule of the whole on-call engine, in one sentence: a wall-clock time stands
for the first instant at which the clock on the wall has reached it. So a time
that a change of the clocks skips is the first instant after the gap, and a time
that happens twice is its first occurrence. This mapping never runs backwards.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from incidentrelay.domain.errors import InvalidInput

# The days and times that people may enter or ask about.
FIRST_YEAR, LAST_YEAR = 1970, 2199
# The engine calculates beyond them: a shift began before the day that it covers.
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)

_SECOND = timedelta(seconds=1)
# Two changes of the clocks of one zone are never closer than weeks (Ramadan in
# Morocco and Egypt); a few days between two looks cannot miss one.
_LOOK = timedelta(days=4)
# Files of the time zone database that are not places.
_NOT_PLACES = frozenset({"localtime", "Factory", "posixrules"})


@dataclass(frozen=True, slots=True)
class OffsetTransition:
    """One change of the clocks: when, and how much wall-clock time it repeats.

    ``repeated`` is zero where the clocks go forward.
    """

    at: datetime
    repeated: timedelta


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """All IANA names that a layer may use."""
    return frozenset(available_timezones()) - _NOT_PLACES


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """The zone of that name; raises InvalidInput (field ``zone``) when there is none."""
    if name not in zone_names():
        raise InvalidInput.of("zone", "There is no time zone of this name.")
    return ZoneInfo(name)


def check_year(day: date, field: str) -> None:
    """Raise InvalidInput for ``field`` unless ``day`` is in FIRST_YEAR to LAST_YEAR."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise InvalidInput.of(field, f"This must lie in the years {FIRST_YEAR} to {LAST_YEAR}.")


def as_utc(value: datetime, field: str) -> datetime:
    """``value`` in UTC.

    Raises ValueError when it is naive (a mistake of the program), and InvalidInput
    naming ``field`` when it is not between EARLIEST and LATEST.
    """
    if value.tzinfo is None:
        raise ValueError(f"{field} has no time zone")
    if not EARLIEST <= value < LATEST:
        raise InvalidInput.of(
            field, f"This must lie in the years {EARLIEST.year} to {LATEST.year - 1}."
        )
    return value.astimezone(UTC)


def instant_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) at which the clock in ``zone`` has reached the naive ``wall``."""
    first = wall.replace(tzinfo=zone)
    before, after = _offset(first), _offset(first.replace(fold=1))
    if before >= after:
        return (wall - before).replace(tzinfo=UTC)
    return _change(zone, (wall - after).replace(tzinfo=UTC), (wall - before).replace(tzinfo=UTC))


def wall_of(instant: datetime, zone: ZoneInfo) -> datetime:
    """What the clock in ``zone`` shows at ``instant``, naive."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def offset_transitions(zone: str, start: datetime, end: datetime) -> Iterator[OffsetTransition]:
    """The changes of the clocks in the years that ``start`` and ``end`` lie in, in order."""
    for year in range(start.year, end.year + 1):
        yield from _jumps_of(zone, year)


@lru_cache(maxsize=8192)
def _jumps_of(name: str, year: int) -> tuple[OffsetTransition, ...]:
    zone = zone_of(name)
    low, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    offset = _offset(low.astimezone(zone))
    found = []
    while low < end:
        high = min(low + _LOOK, end)
        later = _offset(high.astimezone(zone))
        if later != offset:
            found.append(
                OffsetTransition(_change(zone, low, high), max(offset - later, timedelta(0)))
            )
        low, offset = high, later
    return tuple(found)


def _change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The first instant after ``low`` with the offset of ``high``, to the second."""
    settled = _offset(high.astimezone(zone))
    while high - low > _SECOND:
        middle = low + (high - low) // _SECOND // 2 * _SECOND
        if _offset(middle.astimezone(zone)) == settled:
            high = middle
        else:
            low = middle
    return high


def _offset(aware: datetime) -> timedelta:
    return aware.utcoffset() or timedelta(0)
