"""The calendar: shifts laid out in days and weeks, as the clock in one zone shows them.

A day is a column. All columns are as wide as each other, also that of a day on which
the clocks change, and each has :data:`SLOTS` slots of a quarter of an hour (a little
more or less on those days)::

    instants   start ─────┬─────────────────┬───── end
    blocks     [ ann      ][ nobody   ][ bob       ]      fill the time, without holes
    slots      0         57           121         672     of a week

All instants are aware UTC; intervals include their start and not their end.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.local_time import EARLIEST, LATEST, instant_of, wall_of, zone_of
from incidentrelay.domain.oncall.schedule import Schedule
from incidentrelay.domain.oncall.shifts import Shift, gaps, on_call, shifts

SLOTS = 96
WEEK = 7
MOST_DAYS = 6 * WEEK
# How many colours there are for people.
HUES = 12
# A step of a month or a week from these days on stays inside of what the engine reckons.
FIRST_DAY = EARLIEST.date() + timedelta(days=2 * MOST_DAYS)
LAST_DAY = LATEST.date() - timedelta(days=2 * MOST_DAYS)

_DAY = timedelta(days=1)


class CalendarView(StrEnum):
    """How much is shown: a week from Monday on, or all weeks that a month touches."""

    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class GridDay:
    """One date in a zone. A date that the zone skips altogether has no length."""

    date: date
    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    @property
    def weekend(self) -> bool:
        return self.date.weekday() >= 5

    @property
    def change(self) -> timedelta:
        """How much longer (backward) or shorter (negative) than 24 hours the day is."""
        return self.length - _DAY


@dataclass(frozen=True, slots=True)
class GridBlock:
    """Some time of a rotation that is one person's, or nobody's (``user_id`` None).

    ``start`` and ``end`` of a shift are its true ones, also where they lie outside of
    what is shown. Those of a gap are cut to it: ``begins`` and ``ends`` tell whether
    they are known to be true.
    """

    start: datetime
    end: datetime
    user_id: int | None
    override_id: int | None = None
    begins: bool = True
    ends: bool = True


@dataclass(frozen=True, slots=True)
class GridSegment:
    """The part of a block inside of some days; ``slots`` is how wide it is drawn, maybe 0.

    ``opens`` and ``closes`` tell whether the block begins and ends inside of them.
    """

    block: GridBlock
    start: datetime
    end: datetime
    slots: int
    opens: bool
    closes: bool


def day_at(at: datetime, zone: str) -> date:
    """The date that the calendar in ``zone`` shows at ``at``; InvalidInput for no such zone."""
    return wall_of(at, zone_of(zone)).date()


def days_of(view: CalendarView, day: date, zone: str) -> tuple[GridDay, ...]:
    """The days that ``view`` shows around ``day``: whole weeks from Monday on, at most six.

    Raises InvalidInput for a zone that does not exist (``zone``), and for a day before
    :data:`FIRST_DAY` or after :data:`LAST_DAY` (``date``).
    """
    if not FIRST_DAY <= day <= LAST_DAY:
        raise InvalidInput.of("date", f"This must lie between {FIRST_DAY} and {LAST_DAY}.")
    first, last = day, day
    if view is CalendarView.MONTH:
        first, last = day.replace(day=1), _next_month(day) - _DAY
    first -= timedelta(days=first.weekday())
    last += timedelta(days=WEEK - 1 - last.weekday())
    count = (last - first).days + 1
    starts = [_midnight(first + timedelta(days=number), zone) for number in range(count + 1)]
    return tuple(
        GridDay(first + timedelta(days=number), starts[number], starts[number + 1])
        for number in range(count)
    )


def grid_weeks(days: Sequence[GridDay]) -> Iterator[Sequence[GridDay]]:
    """Whole weeks, each as its seven days."""
    for first in range(0, len(days), WEEK):
        yield days[first : first + WEEK]


def step_view(view: CalendarView, day: date, by: int) -> date:
    """A day in the week or month ``by`` after (before) that of ``day``: its Monday or its first."""
    if view is CalendarView.WEEK:
        return day - timedelta(days=day.weekday()) + timedelta(days=WEEK * by)
    year, month0 = divmod(day.year * 12 + day.month - 1 + by, 12)
    return date(year, month0 + 1, 1)


def whole_shifts(schedule: Schedule, start: datetime, end: datetime) -> list[Shift]:
    """The shifts that touch [start, end), in order, with their true starts and ends."""
    found = shifts(schedule, start, end)
    # Only the outermost can be cut.
    for place in {0, len(found) - 1} if found else ():
        found[place] = on_call(schedule, found[place].start) or found[place]
    return found


def grid_blocks(found: Sequence[Shift], start: datetime, end: datetime) -> list[GridBlock]:
    """What fills [start, end): the shifts (in order, all of which touch it), and the gaps."""
    taken = [GridBlock(one.start, one.end, one.user_id, one.override_id) for one in found]
    free = [
        GridBlock(gap.start, gap.end, None, begins=gap.start > start, ends=gap.end < end)
        for gap in gaps(found, start, end)
    ]
    return sorted([*taken, *free], key=lambda block: block.start)


def grid_segments(found: Sequence[GridBlock], days: Sequence[GridDay]) -> list[GridSegment]:
    """The parts of the blocks (in order) inside of ``days`` (which follow each other)."""
    low, high = days[0].start, days[-1].end
    return [
        GridSegment(
            block=block,
            start=max(block.start, low),
            end=min(block.end, high),
            slots=slot_at(block.end, days) - slot_at(block.start, days),
            opens=block.begins and block.start >= low,
            closes=block.ends and block.end <= high,
        )
        for block in found
        if block.start < high and low < block.end
    ]


def slot_at(at: datetime, days: Sequence[GridDay]) -> int:
    """Where ``at`` is drawn: slots from the left edge of ``days``, inside of their width."""
    number = bisect_right(days, at, key=lambda day: day.start) - 1
    if number < 0:
        return 0
    day = days[number]
    if at >= day.end:
        return SLOTS * len(days)
    return SLOTS * number + round((at - day.start) / day.length * SLOTS)


def hue_of(user_id: int) -> int:
    """The colour of a person, 0 to 11: always the same, and neighbours differ."""
    return user_id % HUES


def _midnight(day: date, zone: str) -> datetime:
    return instant_of(datetime.combine(day, time.min), zone_of(zone))


def _next_month(day: date) -> date:
    return step_view(CalendarView.MONTH, day, 1)
