"""Restrictions: the weekday and time-of-day windows in which a layer is on duty."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from incidentrelay.domain.local_time import instant_of, wall_of, zone_of

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """The instants from ``start`` (included) to ``end`` (not included), aware UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """Opens on ``weekday`` (0 = Monday) at ``opens`` and closes at ``closes``.

    Both are wall-clock times. A ``closes`` that is not after ``opens`` is on the
    next day, so that equal times are a whole day.
    """

    weekday: int
    opens: time
    closes: time


def covered(
    windows: tuple[Window, ...], zone: str, start: datetime, end: datetime
) -> list[Interval]:
    """The union of all windows inside [start, end): sorted, apart, never empty intervals.

    A window of which a change of the clocks leaves nothing is not there.
    """
    if start >= end:
        return []
    place = zone_of(zone)
    # A window of the day before may still be open. Around a repeated hour the
    # date on the wall can lag behind by one; two days on the left and one on the
    # right are enough for both.
    monday = _monday_of(wall_of(start, place).date() - 2 * _DAY)
    last = wall_of(end, place).date() + _DAY
    found: list[Interval] = []
    while monday <= last:
        found.extend(_opened_in_week(windows, zone, monday))
        monday += _WEEK
    return [
        Interval(max(each.start, start), min(each.end, end))
        for each in _union(found)
        if each.start < end and each.end > start
    ]


def next_opening(windows: tuple[Window, ...], zone: str, at: datetime) -> datetime:
    """The first instant not before ``at`` that the windows cover; ``at`` where there are none."""
    if not windows:
        return at
    # A window is there every week, but for the rare one that the clocks swallow.
    while not (found := covered(windows, zone, at, at + _WEEK)):
        at += _WEEK
    return found[0].start


def _monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


@lru_cache(maxsize=16384)
def _opened_in_week(windows: tuple[Window, ...], zone: str, monday: date) -> tuple[Interval, ...]:
    """What the windows that open in the week of ``monday`` cover."""
    place = zone_of(zone)
    found = []
    for window in windows:
        day = monday + timedelta(days=window.weekday)
        closing_day = day if window.closes > window.opens else day + _DAY
        start = instant_of(datetime.combine(day, window.opens), place)
        end = instant_of(datetime.combine(closing_day, window.closes), place)
        if start < end:
            found.append(Interval(start, end))
    return tuple(_union(sorted(found)))


def _union(intervals: Iterable[Interval]) -> list[Interval]:
    """Sorted ``intervals`` with those that touch or overlap made one."""
    result: list[Interval] = []
    for each in intervals:
        if result and each.start <= result[-1].end:
            if each.end > result[-1].end:
                result[-1] = Interval(result[-1].start, each.end)
        else:
            result.append(each)
    return result
