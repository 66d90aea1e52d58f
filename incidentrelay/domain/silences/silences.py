"""When a silence is in force: one window, or one that comes again by a rule.

The start of a window that comes again is a time on the wall of a zone, and its
length is elapsed time. As everywhere (see :mod:`incidentrelay.domain.local_time`), a
start that a change of the clocks skips is the first instant after the gap, and one
that happens twice is its first occurrence.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.local_time import LATEST, instant_of, wall_of, zone_of
from incidentrelay.domain.silences import recurrence
from incidentrelay.domain.silences.recurrence import RecurrenceRule

# So far ahead the next window is looked for; a rule that leaves out more is refused.
HORIZON = timedelta(days=10 * 366)
_INSTANT = timedelta(microseconds=1)
# A day on the wall and the instant of a window on it are never further apart.
_MARGIN = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class SilenceWindow:
    """[start, end)."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class RecurringSilence:
    """A window of ``duration`` at ``start_time`` on each day of ``rule``, up to ``last_day``.

    ``until`` cuts off what is later, wherever in a window it lies.
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
    """The recurring window that these words mean.

    Raises InvalidInput naming ``rule`` or ``zone``, also where there is no window.
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
    """The windows that reach into [start, end), in order."""
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
    """The window that ``at`` lies in; of several, the one that ends last."""
    found = windows(timing, at, at + _INSTANT)
    return max(found, key=lambda window: window.end, default=None)


def next_start(timing: SilenceTiming, at: datetime) -> datetime | None:
    """When a window begins after ``at``; None where none does within :data:`LOOK`."""
    if isinstance(timing, SilenceWindow):
        return timing.start if timing.start > at else None
    today = wall_of(at, zone_of(timing.zone)).date()
    begins = _starts(timing, today - _MARGIN, today + HORIZON)
    found = next((begin for begin in begins if begin > at), None)
    return found if found is not None and found < timing.until else None


def next_change(timing: SilenceTiming, at: datetime) -> datetime | None:
    """When a window begins or ends after ``at``; None where all is over."""
    ends = [window.end for window in windows(timing, at, at + _INSTANT)]
    start = next_start(timing, at)
    found = [*ends, *([] if start is None else [start])]
    if found:
        return min(found)
    # A rule that pauses for very long is looked at again.
    return at + HORIZON if at < span(timing).start or at + HORIZON < span(timing).end else None


@lru_cache(maxsize=1024)
def span(timing: SilenceTiming) -> SilenceWindow:
    """From the beginning of the first window to the end of the last.

    The end is the end of all times (year 2200) where the rule never stops.
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
        # A day that a zone leaves out altogether begins when the next one does.
        if begin != before:
            yield begin
        before = begin
