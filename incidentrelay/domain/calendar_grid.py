"""The calendar: shifts laid out in days and weeks of one time zone.

A day is a column of :data:`SLOTS` slots of 15 minutes. All columns are equally wide; on a
day with a clock change, slots are slightly longer or shorter::

    instants   start ─────┬─────────────────┬───── end
    blocks     [ ann      ][ nobody   ][ bob       ]      fill the time, without holes
    slots      0         57           121         672     of a week

Instants are aware UTC; intervals include their start and exclude their end.
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
# The number of colours for people.
HUES = 12
# One month or week beyond these days is still within the range of the on-call engine.
FIRST_DAY = EARLIEST.date() + timedelta(days=2 * MOST_DAYS)
LAST_DAY = LATEST.date() - timedelta(days=2 * MOST_DAYS)

_DAY = timedelta(days=1)


class CalendarView(StrEnum):
    """The visible period: a week from Monday, or all weeks that overlap a month."""

    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class GridDay:
    """One date in a zone. A date that the zone skips has no length."""

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
        """The day's length minus 24 hours: positive where clocks go back."""
        return self.length - _DAY


@dataclass(frozen=True, slots=True)
class GridBlock:
    """A shift or a gap (``user_id`` is None) of a rotation.

    A shift keeps its true ``start`` and ``end``, even outside the visible period. A gap is
    cut to the period; ``begins`` and ``ends`` say whether it really starts and ends there.
    """

    start: datetime
    end: datetime
    user_id: int | None
    override_id: int | None = None
    begins: bool = True
    ends: bool = True


@dataclass(frozen=True, slots=True)
class GridSegment:
    """The part of a block within some days; ``slots`` is its drawn width and may be 0.

    ``opens`` and ``closes`` say whether the block starts and ends within these days.
    """

    block: GridBlock
    start: datetime
    end: datetime
    slots: int
    opens: bool
    closes: bool


def day_at(at: datetime, zone: str) -> date:
    """The local date in ``zone`` at ``at``; raises InvalidInput for an unknown zone."""
    return wall_of(at, zone_of(zone)).date()


def days_of(view: CalendarView, day: date, zone: str) -> tuple[GridDay, ...]:
    """The days that ``view`` shows around ``day``: one to six whole weeks from Monday.

    Raises InvalidInput for an unknown zone (``zone``), and for a day before
    :data:`FIRST_DAY` or after :data:`LAST_DAY` (``date``).
    """
    if not FIRST_DAY <= day <= LAST_DAY:
        raise InvalidInput.of("date", f"This must be between {FIRST_DAY} and {LAST_DAY}.")
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
    """Split ``days`` into weeks of seven."""
    for first in range(0, len(days), WEEK):
        yield days[first : first + WEEK]


def step_view(view: CalendarView, day: date, by: int) -> date:
    """The first day of the week or month ``by`` steps after (negative: before) that of ``day``."""
    if view is CalendarView.WEEK:
        return day - timedelta(days=day.weekday()) + timedelta(days=WEEK * by)
    year, month0 = divmod(day.year * 12 + day.month - 1 + by, 12)
    return date(year, month0 + 1, 1)


def whole_shifts(schedule: Schedule, start: datetime, end: datetime) -> list[Shift]:
    """The shifts that overlap [start, end), in order, with their true starts and ends."""
    whole = shifts(schedule, start, end)
    # Only the outermost can be cut.
    for place in {0, len(whole) - 1} if whole else ():
        whole[place] = on_call(schedule, whole[place].start) or whole[place]
    return whole


def grid_blocks(
    shifts_in_order: Sequence[Shift], start: datetime, end: datetime
) -> list[GridBlock]:
    """Fill [start, end) with the given shifts (in order, all overlapping it) and gaps."""
    blocks = [
        GridBlock(one.start, one.end, one.user_id, one.override_id) for one in shifts_in_order
    ]
    free = [
        GridBlock(gap.start, gap.end, None, begins=gap.start > start, ends=gap.end < end)
        for gap in gaps(shifts_in_order, start, end)
    ]
    return sorted([*blocks, *free], key=lambda block: block.start)


def grid_segments(blocks: Sequence[GridBlock], days: Sequence[GridDay]) -> list[GridSegment]:
    """The parts of the blocks (in order) within ``days`` (consecutive)."""
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
        for block in blocks
        if block.start < high and low < block.end
    ]


def slot_at(at: datetime, days: Sequence[GridDay]) -> int:
    """The position of ``at`` in slots from the left edge of ``days``, clamped to their width."""
    number = bisect_right(days, at, key=lambda day: day.start) - 1
    if number < 0:
        return 0
    day = days[number]
    if at >= day.end:
        return SLOTS * len(days)
    return SLOTS * number + round((at - day.start) / day.length * SLOTS)


def hue_of(user_id: int) -> int:
    """The colour of a person, 0 to 11; stable, and consecutive ids differ."""
    return user_id % HUES


def _midnight(day: date, zone: str) -> datetime:
    return instant_of(datetime.combine(day, time.min), zone_of(zone))


def _next_month(day: date) -> date:
    return step_view(CalendarView.MONTH, day, 1)
