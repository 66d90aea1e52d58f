"""Time on call by its kind: what people are paid by.

Each instant is of exactly one kind; of several that fit, the first of these is it::

    holiday   the whole of a date that is a holiday
    weekend   the whole of a date whose weekday belongs to the weekend
    night     from the beginning of the night on the wall to its end
    weekday   everything else

Hours are elapsed time: a day on which the clocks change has 23 or 25 of them. Days
and nights begin as handoffs do (see :mod:`incidentrelay.domain.local_time`): a time
that happens twice is its first occurrence.
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
    """A kind of time, by precedence."""

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
    """What counts as what, on the wall of ``zone``.

    The night of a date lasts from ``night_from`` to ``night_to``, over midnight where
    that is not later; there is none where both are equal. ``weekend`` are weekdays
    (0 = Monday), ``holidays`` dates.
    """

    zone: str
    night_from: time = time(22)
    night_to: time = time(6)
    weekend: frozenset[int] = frozenset({5, 6})
    holidays: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class _Part:
    """From ``start`` to the start of the next part; ``place`` is that of its kind in KINDS.

    ``before`` is how much time of each kind lies in front of it.
    """

    start: datetime
    place: int
    night: bool
    before: tuple[timedelta, ...]


class HoursCalculator:
    """Measures time in [``start``, ``end``): from the date ``first`` to the end of ``last``.

    Raises InvalidInput as check_period does, and for a zone that does not exist.
    """

    def __init__(self, rules: HourRules, first: date, last: date) -> None:
        check_period(first, last)
        self.rules, self.first, self.last = rules, first, last
        self._parts = list(_parts(rules, first, last + _DAY))
        self._starts = [part.start for part in self._parts]
        self.start, self.end = self._starts[0], self._starts[-1]

    def measure(self, start: datetime, end: datetime) -> HourTotals:
        """What of [start, end) lies in the period, by kind."""
        sums = [_ZERO] * len(HOUR_KINDS)
        self.add(sums, start, end)
        return HourTotals(*sums)

    def add(self, sums: list[timedelta], start: datetime, end: datetime) -> None:
        """Add the same to ``sums``, which are in the order of KINDS."""
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
        """Whether it is night then, be it a weekday, a weekend or a holiday."""
        return self._part(at).night

    def _part(self, at: datetime) -> _Part:
        return self._parts[max(bisect_right(self._starts, at) - 1, 0)]


def total_by_user(ruler: HoursCalculator, shifts: Iterable[Shift]) -> dict[int, HourTotals]:
    """The time of each person (by id) in ``shifts``, as far as it lies in the period."""
    found: dict[int, list[timedelta]] = {}
    for shift in shifts:
        sums = found.setdefault(shift.user_id, [_ZERO] * len(HOUR_KINDS))
        ruler.add(sums, shift.start, shift.end)
    return {user_id: HourTotals(*sums) for user_id, sums in found.items() if any(sums)}


def decimal(time_on_call: timedelta) -> str:
    """Hours with two digits, halves rounded up: ``12.50``."""
    hundredths = (time_on_call * 200 + _HOUR) // (_HOUR * 2)
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def check_period(first: date, last: date) -> None:
    """Raise InvalidInput (``from``, ``to``) unless these are 1 to 400 days."""
    for field, day in (("from", first), ("to", last)):
        check_year(day, field)
    # In zones west of UTC the last day ends a day later in UTC.
    check_year(last + 2 * _DAY, "to")
    if last < first:
        raise InvalidInput.of("to", "The last day must not be before the first.")
    if (last - first).days >= LONGEST:
        raise InvalidInput.of("to", f"Ask for at most {LONGEST} days.")


def _parts(rules: HourRules, first: date, stop: date) -> Iterator[_Part]:
    """The parts of all dates from ``first`` on, and at last one that begins with ``stop``."""
    zone = zone_of(rules.zone)
    before = [_ZERO] * len(HOUR_KINDS)
    last: _Part | None = None
    for day in _days(first, stop):
        for wall, night in _edges(rules) if day < stop else [(time.min, False)]:
            start = instant_of(datetime.combine(day, wall), zone)
            if last is not None:
                before[last.place] += start - last.start
            place = HOUR_KINDS.index(_kind(rules, day, night))
            last = _Part(start, place, night, tuple(before))
            yield last


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _edges(rules: HourRules) -> list[tuple[time, bool]]:
    """When a date begins, ends or interrupts the night."""
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
