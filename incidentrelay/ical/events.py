"""Checks whether an event of a calendar is supported, and how much expanding it costs."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from icalendar import Event
from icalendar.timezone import is_utc

from incidentrelay.domain.local_time import (
    EARLIEST,
    FIRST_YEAR,
    LAST_YEAR,
    as_utc,
    instant_of,
    zone_of,
)
from incidentrelay.ical import recurrence_limits
from incidentrelay.ical.series import Series, value_of
from incidentrelay.ical.zones import CalendarZone

MOST_OCCURRENCES = 500
_MOST_DATES = 500
_MOST_ATTENDEES = 200
DAY = timedelta(days=1)

REPEATING = ("RRULE", "RDATE", "RECURRENCE-ID")
# Everything else would be copied for each occurrence.
READ_PROPERTIES = frozenset(
    {
        *("UID", "SEQUENCE", "SUMMARY", "STATUS", "ATTENDEE", "ORGANIZER"),
        *("DTSTART", "DTEND", "DURATION", "EXDATE", "EXRULE", *REPEATING),
    }
)


class RefusedEvent(Exception):
    """Why an event is skipped, as a sentence."""


def check_series(series: Series, low: datetime, high: datetime) -> int:
    """The cost of expanding the events; raises RefusedEvent for unsupported ones."""
    if series.refusal is not None:
        raise RefusedEvent(series.refusal)
    work = 0
    for event, zone in ((each.event, each.zone) for each in series.events):
        if not value_of(event, "UID"):
            raise RefusedEvent("It has no UID, so a later import could not recognise it.")
        _refuse_too_many(event)
        _refuse_unknown_zone(event, zone)
        start, length = start_and_length(event, zone.name)
        if "RANGE" in getattr(value_of(event, "RECURRENCE-ID"), "params", {}):
            raise RefusedEvent("A change of all later times (RANGE) is not supported.")
        if "EXRULE" in event or isinstance(value_of(event, "RRULE"), list):
            raise RefusedEvent(recurrence_limits.NOT_UNDERSTOOD)
        if "RRULE" in event:
            _align_until(event, zone.name)
            # An occurrence that started earlier may still be running.
            work += _work(dict(value_of(event, "RRULE")), start, low - length, high)
    return work


def _refuse_unknown_zone(event: Event, zone: CalendarZone) -> None:
    """Raise RefusedEvent if a time needs the calendar's zone, and that is unknown."""
    dates = [value_of(event, name) for name in ("DTSTART", "DTEND", "RECURRENCE-ID")]
    times = [each.dt for each in dates if each is not None]
    # A shift that repeats in UTC keeps its local time in the zone of its calendar.
    needed = any(not isinstance(time, datetime) or time.tzinfo is None for time in times) or (
        any(name in event for name in REPEATING) and any(is_utc(time) for time in times)
    )
    if zone.unknown and needed:
        raise RefusedEvent(
            f"The time zone of its calendar (X-WR-TIMEZONE), “{zone.unknown[:60]}”, is unknown."
        )


def _align_until(event: Event, zone: str) -> None:
    """Give UNTIL the type of DTSTART, as the library expects it.

    A day includes its last shift. A time counts in the zone of the event.
    """
    start, rule = value_of(event, "DTSTART").dt, value_of(event, "RRULE")
    aligned = []
    for until in rule.get("UNTIL", ()):
        if isinstance(until, datetime) and until.tzinfo and getattr(start, "tzinfo", None) is None:
            until = until.astimezone(zone_of(zone)).replace(tzinfo=None)
        if not isinstance(start, datetime):
            until = until.date() if isinstance(until, datetime) else until
        elif not isinstance(until, datetime):
            until = datetime.combine(until, time.max, start.tzinfo).replace(microsecond=0)
        aligned.append(until)
    if aligned:
        rule["UNTIL"] = aligned


def _refuse_too_many(event: Event) -> None:
    """Raise RefusedEvent if the event has too many values of one property."""
    if any(_count(value_of(event, name)) > _MOST_DATES for name in ("RDATE", "EXDATE")):
        raise RefusedEvent(f"It has more than {_MOST_DATES} single dates.")
    if any(_times_written(event, name) > _MOST_ATTENDEES for name in READ_PROPERTIES):
        raise RefusedEvent(f"It has more than {_MOST_ATTENDEES} attendees, or lines of one kind.")


def _times_written(event: Event, name: str) -> int:
    value = value_of(event, name)
    return len(value) if isinstance(value, list) else 1


def _work(rule: recurrence_limits.Rule, start: datetime, low: datetime, high: datetime) -> int:
    refusal = recurrence_limits.refusal(rule, start)
    if refusal is not None:
        raise RefusedEvent(refusal)
    if recurrence_limits.most(rule, start, low, high) > MOST_OCCURRENCES:
        raise RefusedEvent(f"It happens more than {MOST_OCCURRENCES} times.")
    return recurrence_limits.work(rule, start, high)


def start_and_length(event: Event, zone: str) -> tuple[datetime, timedelta]:
    """The start of the event, and its length at most."""
    for name in ("DTSTART", "DTEND", "RECURRENCE-ID"):
        given = value_of(event, name)
        naive = isinstance(given and given.dt, datetime) and given.dt.tzinfo is None
        if naive and "TZID" in given.params:
            raise RefusedEvent(f"Its time zone “{str(given.params['TZID'])[:60]}” is unknown.")
    if "DTSTART" not in event:
        raise RefusedEvent("It has no start.")
    start = as_instant(value_of(event, "DTSTART").dt, zone)
    if start.year < FIRST_YEAR:
        raise RefusedEvent(f"It begins before {FIRST_YEAR}.")
    end = as_instant(value_of(event, "DTEND").dt, zone) if "DTEND" in event else None
    length = value_of(event, "DURATION").dt if "DURATION" in event else None
    if (end is not None and end <= start) or (length is not None and length <= timedelta(0)):
        raise RefusedEvent("It does not end after its start.")
    # Without an end it lasts a day, or has no length.
    return start, length or (end - start if end is not None else DAY)


def _count(dates: Any) -> int:
    lists: Iterable[Any] = dates if isinstance(dates, list) else [dates]
    return sum(len(each.dts) for each in lists if each is not None)


def as_instant(value: Any, zone: str) -> datetime:
    """A time or a whole day (its midnight) as an instant in UTC."""
    if not isinstance(value, datetime):
        if not isinstance(value, date):
            raise RefusedEvent("It has a time that cannot be understood.")
        value = datetime.combine(value, time.min)
    if value.year < EARLIEST.year + 1 or value.year >= LAST_YEAR:
        raise RefusedEvent("It has a time that is too far away.")
    return instant_of(value, zone_of(zone)) if value.tzinfo is None else as_utc(value, "text")
