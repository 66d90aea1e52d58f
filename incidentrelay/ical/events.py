"""Checks and expands one event of a calendar into its occurrences."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from typing import Any

import recurring_ical_events
from icalendar import Calendar, Event, vText
from icalendar.timezone import is_utc

from incidentrelay.domain.local_time import (
    EARLIEST,
    FIRST_YEAR,
    LAST_YEAR,
    as_utc,
    instant_of,
    zone_of,
)
from incidentrelay.domain.text import shown_text
from incidentrelay.ical import recurrence_limits
from incidentrelay.ical.series import Series, time_text, value_of
from incidentrelay.ical.zones import CalendarZone

MOST_OCCURRENCES = 500
_MOST_DATES = 500
_MOST_ATTENDEES = 200
_LONGEST_SUMMARY = 200
_DAY = timedelta(days=1)
_HASH = 32

_REPEATING = ("RRULE", "RDATE", "RECURRENCE-ID")
# All else would be copied for each time at which an event happens.
READ_PROPERTIES = frozenset(
    {
        *("UID", "SEQUENCE", "SUMMARY", "STATUS", "ATTENDEE", "ORGANIZER"),
        *("DTSTART", "DTEND", "DURATION", "EXDATE", "EXRULE", *_REPEATING),
    }
)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One occurrence of an event.

    ``key`` stays the same when the occurrence is moved, and starts with the key of the
    event. ``attendees`` and ``organizer`` are e-mail addresses in lower case.
    """

    key: str
    start: datetime
    end: datetime
    summary: str
    attendees: tuple[str, ...]
    organizer: str | None
    cancelled: bool


class RefusedEvent(Exception):
    """Why an event is skipped, as a sentence."""


def event_key(uid: str) -> str:
    """The first part of the keys of an event's occurrences."""
    return _hash(uid)


def event_of(key: str) -> str:
    """The event's part of an occurrence's key."""
    return key[:_HASH]


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
        start, length = _times(event, zone.name)
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
        any(name in event for name in _REPEATING) and any(is_utc(time) for time in times)
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


def _times(event: Event, zone: str) -> tuple[datetime, timedelta]:
    """The start of the event, and its length at most."""
    for name in ("DTSTART", "DTEND", "RECURRENCE-ID"):
        given = value_of(event, name)
        naive = isinstance(given and given.dt, datetime) and given.dt.tzinfo is None
        if naive and "TZID" in given.params:
            raise RefusedEvent(f"Its time zone “{str(given.params['TZID'])[:60]}” is unknown.")
    if "DTSTART" not in event:
        raise RefusedEvent("It has no start.")
    start = _instant(value_of(event, "DTSTART").dt, zone)
    if start.year < FIRST_YEAR:
        raise RefusedEvent(f"It begins before {FIRST_YEAR}.")
    end = _instant(value_of(event, "DTEND").dt, zone) if "DTEND" in event else None
    length = value_of(event, "DURATION").dt if "DURATION" in event else None
    if (end is not None and end <= start) or (length is not None and length <= timedelta(0)):
        raise RefusedEvent("It does not end after its start.")
    # Without an end it lasts a day, or no time.
    return start, length or (end - start if end is not None else _DAY)


def expand_series(series: Series, low: datetime, high: datetime) -> list[Occurrence]:
    """The occurrences in [low, high); raises RefusedEvent if a changed one would be lost."""
    zone = series.events[0].zone
    alone = Calendar()
    if zone.own:
        alone.add("X-WR-TIMEZONE", vText(zone.name))
    alone.subcomponents = [each.event for each in series.events]
    # A day more on each side, because times without a zone are not placed yet.
    query = recurring_ical_events.of(alone)
    repeats = series.shared or any(
        name in each.event for each in series.events for name in _REPEATING
    )
    made = [
        _occurrence(each, zone.name, repeats) for each in query.between(low - _DAY, high + _DAY)
    ]
    found = [each for each in made if each.start < high and low < each.end]
    _refuse_lost(series, found, low, high)
    return found


def _refuse_lost(
    series: Series, found: Sequence[Occurrence], low: datetime, high: datetime
) -> None:
    """Raise RefusedEvent if an event in [low, high) is not among its occurrences."""
    keys, starts = {each.key for each in found}, {each.start for each in found}
    for each in series.events:
        changed = value_of(each.event, "RECURRENCE-ID")
        if changed is None and len(series.events) > 1:
            continue
        if changed is None and any(name in each.event for name in ("EXDATE", "RRULE")):
            continue
        start, length = _times(each.event, each.zone.name)
        key = _key(series.uid, changed.dt if changed else None)
        inside = start < high and low < start + length
        if inside and start not in starts and key not in keys:
            raise RefusedEvent("It is excluded from its own series (EXDATE).")


def _occurrence(event: Event, zone: str, repeats: bool) -> Occurrence:
    start, end = (_instant(value_of(event, name).dt, zone) for name in ("DTSTART", "DTEND"))
    if end <= start:
        raise RefusedEvent("It does not end after its start.")
    organizer = value_of(event, "ORGANIZER")
    series_time = value_of(event, "RECURRENCE-ID").dt if repeats else None
    return Occurrence(
        key=_key(str(value_of(event, "UID")), series_time),
        start=start,
        end=end,
        summary=summary_of(event),
        attendees=tuple(_attendees(event)),
        organizer=None if organizer is None else _address(organizer),
        cancelled=str(value_of(event, "STATUS")).upper() == "CANCELLED",
    )


def _key(uid: str, time_of_series: date | None) -> str:
    """The key of the event, and of the occurrence's original time if the event repeats."""
    return event_key(uid) + _hash(time_text(time_of_series))


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH]


def _attendees(event: Event) -> Iterator[str]:
    """Attendees who are people and have not declined."""
    given = value_of(event, "ATTENDEE") or []
    for attendee in given if isinstance(given, list) else [given]:
        params = attendee.params
        person = str(params.get("CUTYPE", "INDIVIDUAL")).upper() in {"INDIVIDUAL", "UNKNOWN"}
        if person and str(params.get("PARTSTAT", "")).upper() != "DECLINED":
            yield _address(attendee)


def _address(value: Any) -> str:
    text = str(value).strip().casefold()
    return text.removeprefix("mailto:")


def summary_of(event: Event) -> str:
    """The title as one line."""
    text = shown_text(str(value_of(event, "SUMMARY") or ""), " ")
    return " ".join(text.split())[:_LONGEST_SUMMARY]


def _count(dates: Any) -> int:
    lists: Iterable[Any] = dates if isinstance(dates, list) else [dates]
    return sum(len(each.dts) for each in lists if each is not None)


def _instant(value: Any, zone: str) -> datetime:
    """A time or a whole day (its midnight) as an instant in UTC."""
    if not isinstance(value, datetime):
        if not isinstance(value, date):
            raise RefusedEvent("It has a time that cannot be understood.")
        value = datetime.combine(value, time.min)
    if value.year < EARLIEST.year + 1 or value.year >= LAST_YEAR:
        raise RefusedEvent("It has a time that is too far away.")
    return instant_of(value, zone_of(zone)) if value.tzinfo is None else as_utc(value, "text")
