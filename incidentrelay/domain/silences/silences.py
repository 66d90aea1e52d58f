"""When a silence is in force: during one window, or a recurring one.

A recurring window starts at a local time, and its length is elapsed time. As everywhere (see
:mod:`incidentrelay.domain.local_time`), a start that a clock change skips is the first instant
after the gap, and one that occurs twice is its first occurrence.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.local_time import LATEST, instant_of, wall_of, zone_of
from incidentrelay.domain.silences import recurrence
from incidentrelay.domain.silences.recurrence import RecurrenceRule

# How far ahead to look for the next window; rules with longer pauses are rejected.
HORIZON = timedelta(days=10 * 366)
_INSTANT = timedelta(microseconds=1)
# The local date of a window and its instant are never further apart.
_MARGIN = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class SilenceWindow:
    """[start, end)."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class RecurringSilence:
    """A window of ``duration`` at ``start_time`` on each day of ``rule``, up to ``last_day``.

    ``until`` cuts off everything later, even within a window.
    """

    rule: RecurrenceRule
    zone: str
    starts_on: date
    start_time: time
    duration: timedelta
    last_day: date
    until: datetime = LATEST


SilenceTiming = SilenceWindow | RecurringSilence


@lru_cache(maxsize=1024)
def recurring(
    rule: str, zone: str, starts_on: date, start_time: time, duration: timedelta
) -> RecurringSilence:
    """Parse a recurring window.

    Raises InvalidInput (``rule`` or ``zone``), also if there is no window.
    """
    parsed, place = recurrence.parse_rule(rule), zone_of(zone)
    last = recurrence.LAST
    if isinstance(parsed.until, datetime):
        wall = wall_of(parsed.until, place)
        last = wall.date() if wall.time() >= start_time else wall.date() - timedelta(days=1)
    elif parsed.until is not None:
        last = parsed.until
    timing = RecurringSilence(parsed, zone, starts_on, start_time, duration, last)
    if next(_starts(timing, starts_on, starts_on + HORIZON), None) is None:
        raise InvalidInput.of("rule", "There is no day on which this begins.")
    if parsed.count is None:
        return timing
    counted = recurrence.nth_day(parsed, starts_on, parsed.count)
    return RecurringSilence(parsed, zone, starts_on, start_time, duration, counted)


def windows(timing: SilenceTiming, start: datetime, end: datetime) -> Iterator[SilenceWindow]:
    """The windows that overlap [start, end), in order."""
    if isinstance(timing, SilenceWindow):
        if timing.start < end and timing.end > start:
            yield timing
        return
    place = zone_of(timing.zone)
    first = wall_of(start - timing.duration, place).date() - _MARGIN
    for begin in _starts(timing, first, wall_of(end, place).date() + _MARGIN):
        finish = min(begin + timing.duration, timing.until)
        if begin >= min(end, timing.until):
            return
        if finish > start:
            yield SilenceWindow(begin, finish)


def active_at(timing: SilenceTiming, at: datetime) -> SilenceWindow | None:
    """The window that contains ``at``; of several, the one that ends last."""
    found = windows(timing, at, at + _INSTANT)
    return max(found, key=lambda window: window.end, default=None)


def next_start(timing: SilenceTiming, at: datetime) -> datetime | None:
    """The next start of a window after ``at``; None if there is none within :data:`LOOK`."""
    if isinstance(timing, SilenceWindow):
        return timing.start if timing.start > at else None
    today = wall_of(at, zone_of(timing.zone)).date()
    begins = _starts(timing, today - _MARGIN, today + HORIZON)
    found = next((begin for begin in begins if begin > at), None)
    return found if found is not None and found < timing.until else None


def next_change(timing: SilenceTiming, at: datetime) -> datetime | None:
    """The next start or end of a window after ``at``; None if there is none."""
    ends = [window.end for window in windows(timing, at, at + _INSTANT)]
    start = next_start(timing, at)
    found = [*ends, *([] if start is None else [start])]
    if found:
        return min(found)
    # A rule with a very long pause is checked again.
    return at + HORIZON if at < span(timing).start or at + HORIZON < span(timing).end else None


@lru_cache(maxsize=1024)
def span(timing: SilenceTiming) -> SilenceWindow:
    """From the beginning of the first window to the end of the last.

    The end is the year 2200 if the rule never stops.
    """
    if isinstance(timing, SilenceWindow):
        return timing
    first = next(_starts(timing, timing.starts_on, timing.starts_on + HORIZON))
    if timing.last_day == recurrence.LAST:
        return SilenceWindow(first, timing.until)
    last = max(_starts(timing, timing.last_day - HORIZON, timing.last_day), default=first)
    return SilenceWindow(first, min(last + timing.duration, timing.until))


def _starts(timing: RecurringSilence, first: date, last: date) -> Iterator[datetime]:
    """When the windows on the days from ``first`` to ``last`` begin, each once."""
    place, before = zone_of(timing.zone), None
    last = min(last, timing.last_day)
    for day in recurrence.matching_days(timing.rule, timing.starts_on, first, last):
        begin = instant_of(datetime.combine(day, timing.start_time), place)
        # A date that a zone skips entirely begins when the next one does.
        if begin != before:
            yield begin
        before = begin
