"""On-call time by kind, the basis of pay.

Each instant has exactly one kind, the first that applies::

    holiday   all of a date that is a holiday
    weekend   all of a date whose weekday is part of the weekend
    night     from the start of the night, wall-clock time, to its end
    weekday   everything else

Hours are elapsed time: a day with a clock change has 23 or 25. Days and nights start as
handoffs do (see :mod:`incidentrelay.domain.local_time`): a wall-clock time that occurs
twice means its first occurrence.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.local_time import check_year, instant_of, zone_of
from incidentrelay.domain.oncall.shifts import Shift

LONGEST = 400

_ZERO = timedelta(0)
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


class HourKind(StrEnum):
    """Kinds of time, highest precedence first."""

    HOLIDAY = "holiday"
    WEEKEND = "weekend"
    NIGHT = "night"
    WEEKDAY = "weekday"


@dataclass(frozen=True, slots=True)
class HourTotals:
    """Elapsed time of each kind."""

    weekday: timedelta = _ZERO
    night: timedelta = _ZERO
    weekend: timedelta = _ZERO
    holiday: timedelta = _ZERO

    @property
    def total(self) -> timedelta:
        return self.weekday + self.night + self.weekend + self.holiday

    def __add__(self, other: "HourTotals") -> "HourTotals":
        return HourTotals(
            self.weekday + other.weekday,
            self.night + other.night,
            self.weekend + other.weekend,
            self.holiday + other.holiday,
        )


HOUR_KINDS = tuple(field.name for field in fields(HourTotals))


@dataclass(frozen=True, slots=True)
class HourRules:
    """Which kind a time is, in the wall-clock time of ``zone``.

    The night lasts from ``night_from`` to ``night_to``, across midnight if that is
    earlier; equal times mean no night. ``weekend`` holds weekdays (0 = Monday).
    """

    zone: str
    night_from: time = time(22)
    night_to: time = time(6)
    weekend: frozenset[int] = frozenset({5, 6})
    holidays: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class _Part:
    """From ``start`` to the start of the next part.

    ``place`` is the index of its kind in HOUR_KINDS, ``before`` the time of each kind in
    all earlier parts.
    """

    start: datetime
    place: int
    night: bool
    before: tuple[timedelta, ...]


class HoursCalculator:
    """Measures time in [``start``, ``end``): from the date ``first`` to the end of ``last``.

    Raises InvalidInput like check_period, and for an unknown zone.
    """

    def __init__(self, rules: HourRules, first: date, last: date) -> None:
        check_period(first, last)
        self.rules, self.first, self.last = rules, first, last
        self._parts = list(_parts(rules, first, last + _DAY))
        self._starts = [part.start for part in self._parts]
        self.start, self.end = self._starts[0], self._starts[-1]

    def measure(self, start: datetime, end: datetime) -> HourTotals:
        """The part of [start, end) that is in the period, by kind."""
        sums = [_ZERO] * len(HOUR_KINDS)
        self.add(sums, start, end)
        return HourTotals(*sums)

    def add(self, sums: list[timedelta], start: datetime, end: datetime) -> None:
        """Add :meth:`measure` to ``sums``, which is in the order of HOUR_KINDS."""
        start, end = max(start, self.start), min(end, self.end)
        if end <= start:
            return
        low, high = self._part(start), self._part(end)
        if low is not high:
            for place, (less, more) in enumerate(zip(low.before, high.before, strict=True)):
                sums[place] += more - less
        sums[high.place] += end - high.start
        sums[low.place] -= start - low.start

    def at_night(self, at: datetime) -> bool:
        """Whether ``at`` is in a night, also on weekends and holidays."""
        return self._part(at).night

    def _part(self, at: datetime) -> _Part:
        return self._parts[max(bisect_right(self._starts, at) - 1, 0)]


def total_by_user(calculator: HoursCalculator, shifts: Iterable[Shift]) -> dict[int, HourTotals]:
    """Time on call in the period by user id, without people who have none."""
    totals: dict[int, list[timedelta]] = {}
    for shift in shifts:
        sums = totals.setdefault(shift.user_id, [_ZERO] * len(HOUR_KINDS))
        calculator.add(sums, shift.start, shift.end)
    return {user_id: HourTotals(*sums) for user_id, sums in totals.items() if any(sums)}


def decimal(time_on_call: timedelta) -> str:
    """Format as hours with two decimals, halves rounded up: ``12.50``."""
    hundredths = (time_on_call * 200 + _HOUR) // (_HOUR * 2)
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def check_period(first: date, last: date) -> None:
    """Raise InvalidInput (``from``, ``to``) unless the period has 1 to 400 days."""
    for field, day in (("from", first), ("to", last)):
        check_year(day, field)
    # West of UTC, the last day ends a day later in UTC.
    check_year(last + 2 * _DAY, "to")
    if last < first:
        raise InvalidInput.of("to", "The last day must not be before the first.")
    if (last - first).days >= LONGEST:
        raise InvalidInput.of("to", f"The period may have at most {LONGEST} days.")


def _parts(rules: HourRules, first: date, stop: date) -> Iterator[_Part]:
    """The parts of all dates in [first, stop), and one more that starts with ``stop``."""
    zone = zone_of(rules.zone)
    before = [_ZERO] * len(HOUR_KINDS)
    last: _Part | None = None
    for day in _days(first, stop):
        for wall, night in _part_starts(rules) if day < stop else [(time.min, False)]:
            start = instant_of(datetime.combine(day, wall), zone)
            if last is not None:
                before[last.place] += start - last.start
            place = HOUR_KINDS.index(_kind(rules, day, night))
            last = _Part(start, place, night, tuple(before))
            yield last


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _part_starts(rules: HourRules) -> list[tuple[time, bool]]:
    """The times at which a date's parts start, each with whether it is night."""
    begins, ends = rules.night_from, rules.night_to
    if begins == ends:
        return [(time.min, False)]
    if begins < ends:
        return [(time.min, False), (begins, True), (ends, False)]
    return [(time.min, True), (ends, False), (begins, True)]


def _kind(rules: HourRules, day: date, night: bool) -> HourKind:
    if day in rules.holidays:
        return HourKind.HOLIDAY
    if day.weekday() in rules.weekend:
        return HourKind.WEEKEND
    return HourKind.NIGHT if night else HourKind.WEEKDAY
