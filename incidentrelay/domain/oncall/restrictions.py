"""Restrictions: the weekday and time-of-day windows in which a layer is on call."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from incidentrelay.domain.local_time import instant_of, wall_of, zone_of

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """[start, end), aware UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """Opens on ``weekday`` (0 = Monday) at ``opens`` and closes at ``closes``, wall-clock time.

    If ``closes`` is not after ``opens``, it is on the next day; equal times are 24 hours.
    """

    weekday: int
    opens: time
    closes: time


def covered(
    windows: tuple[Window, ...], zone: str, start: datetime, end: datetime
) -> list[Interval]:
    """The union of all windows in [start, end): sorted, disjoint, non-empty intervals.

    A window that a clock change skips entirely is left out.
    """
    if start >= end:
        return []
    tz = zone_of(zone)
    # A window of the day before may still be open, and around a repeated hour the local
    # date can be one behind: two days before and one after cover both.
    monday = _monday_of(wall_of(start, tz).date() - 2 * _DAY)
    last = wall_of(end, tz).date() + _DAY
    intervals: list[Interval] = []
    while monday <= last:
        intervals.extend(_opened_in_week(windows, zone, monday))
        monday += _WEEK
    return [
        Interval(max(each.start, start), min(each.end, end))
        for each in _union(intervals)
        if each.start < end and each.end > start
    ]


def next_opening(windows: tuple[Window, ...], zone: str, at: datetime) -> datetime:
    """The first instant from ``at`` on that the windows cover; ``at`` without windows."""
    if not windows:
        return at
    # A window opens every week, except when a clock change skips it.
    while not (intervals := covered(windows, zone, at, at + _WEEK)):
        at += _WEEK
    return intervals[0].start


def _monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


@lru_cache(maxsize=16384)
def _opened_in_week(windows: tuple[Window, ...], zone: str, monday: date) -> tuple[Interval, ...]:
    """The intervals covered by windows that open in the week of ``monday``."""
    tz = zone_of(zone)
    intervals = []
    for window in windows:
        day = monday + timedelta(days=window.weekday)
        closing_day = day if window.closes > window.opens else day + _DAY
        start = instant_of(datetime.combine(day, window.opens), tz)
        end = instant_of(datetime.combine(closing_day, window.closes), tz)
        if start < end:
            intervals.append(Interval(start, end))
    return tuple(_union(sorted(intervals)))


def _union(intervals: Iterable[Interval]) -> list[Interval]:
    """Merge sorted ``intervals`` that touch or overlap."""
    result: list[Interval] = []
    for each in intervals:
        if result and each.start <= result[-1].end:
            if each.end > result[-1].end:
                result[-1] = Interval(result[-1].start, each.end)
        else:
            result.append(each)
    return result
