"""Conversion between wall-clock time and instants.

The one rule of the on-call engine: a wall-clock time means the first instant at which
the local clock has reached it. A time that a clock change skips is the first instant
after the gap; a time that occurs twice is its first occurrence. The mapping never runs
backwards.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from incidentrelay.domain.errors import InvalidInput

# The years that users may enter.
FIRST_YEAR, LAST_YEAR = 1970, 2199
# The engine looks further back: a shift may start long before the day it covers.
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)

_SECOND = timedelta(seconds=1)
# Clock changes of one zone are weeks apart even around Ramadan (Morocco, Egypt), so
# looking every few days misses none.
_LOOK = timedelta(days=4)
# Entries of the time zone database that are not places.
_NOT_PLACES = frozenset({"localtime", "Factory", "posixrules"})


@dataclass(frozen=True, slots=True)
class OffsetTransition:
    """A clock change, and how much wall-clock time it repeats (0 where clocks go forward)."""

    at: datetime
    repeated: timedelta


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """The IANA time zones that users may choose."""
    return frozenset(available_timezones()) - _NOT_PLACES


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """The zone of that name; raises InvalidInput (field ``zone``) if there is none."""
    if name not in zone_names():
        raise InvalidInput.of("zone", "There is no time zone of this name.")
    return ZoneInfo(name)


def check_year(day: date, field: str) -> None:
    """Raise InvalidInput for ``field`` unless ``day`` is in FIRST_YEAR to LAST_YEAR."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise InvalidInput.of(field, f"This must be in the years {FIRST_YEAR} to {LAST_YEAR}.")


def as_utc(value: datetime, field: str) -> datetime:
    """``value`` in UTC.

    Raises ValueError if it is naive (a bug), and InvalidInput for ``field`` if it is not
    in [EARLIEST, LATEST).
    """
    if value.tzinfo is None:
        raise ValueError(f"{field} has no time zone")
    if not EARLIEST <= value < LATEST:
        raise InvalidInput.of(
            field, f"This must be in the years {EARLIEST.year} to {LATEST.year - 1}."
        )
    return value.astimezone(UTC)


def instant_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) at which the clock in ``zone`` reaches the naive ``wall``."""
    first = wall.replace(tzinfo=zone)
    before, after = _offset(first), _offset(first.replace(fold=1))
    if before >= after:
        return (wall - before).replace(tzinfo=UTC)
    return _change(zone, (wall - after).replace(tzinfo=UTC), (wall - before).replace(tzinfo=UTC))


def wall_of(instant: datetime, zone: ZoneInfo) -> datetime:
    """The wall-clock time in ``zone`` at ``instant``, naive."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def offset_transitions(zone: str, start: datetime, end: datetime) -> Iterator[OffsetTransition]:
    """The clock changes from the year of ``start`` to the year of ``end``, in order."""
    for year in range(start.year, end.year + 1):
        yield from _transitions_in(zone, year)


@lru_cache(maxsize=8192)
def _transitions_in(name: str, year: int) -> tuple[OffsetTransition, ...]:
    zone = zone_of(name)
    low, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    offset = _offset(low.astimezone(zone))
    transitions = []
    while low < end:
        high = min(low + _LOOK, end)
        later = _offset(high.astimezone(zone))
        if later != offset:
            transitions.append(
                OffsetTransition(_change(zone, low, high), max(offset - later, timedelta(0)))
            )
        low, offset = high, later
    return tuple(transitions)


def _change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The first instant after ``low`` that has the offset of ``high``, to the second."""
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
