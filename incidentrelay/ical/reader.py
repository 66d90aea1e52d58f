"""Reads what a calendar (iCalendar, RFC 5545) says will happen: its single occurrences.

The text comes from strangers. It is measured before it is parsed, and each event's
rule before it is expanded; an event that cannot be read is a problem of its own and
does not harm the others.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from typing import Any

import recurring_ical_events
from icalendar import Calendar, Event, vText

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.local_time import EARLIEST, as_utc, instant_of, zone_names, zone_of
from incidentrelay.ical import recurrence_limits

LONGEST_TEXT = 1_000_000
MOST_COMPONENTS = 2000
MOST_OCCURRENCES = 500
# Of the steps by which all rules together are expanded.
MOST_WORK = 250_000
_DEEPEST = 4
_MOST_DATES = 500
_MOST_ATTENDEES = 200
_LONGEST_SUMMARY = 200
_DAY = timedelta(days=1)
_HASH = 32

_REPEATING = ("RRULE", "RDATE", "RECURRENCE-ID")
# All else would be copied for each time at which an event happens.
_READ = frozenset(
    {
        *("UID", "SEQUENCE", "SUMMARY", "STATUS", "ATTENDEE", "ORGANIZER"),
        *("DTSTART", "DTEND", "DURATION", "EXDATE", "EXRULE", *_REPEATING),
    }
)
_NO_CALENDAR = "This is not a calendar in the iCalendar format (.ics)."


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time at which an event happens.

    ``key`` is always the same for the same occurrence of the same event, also when it
    is moved; it begins with the key of the event. ``attendees`` and ``organizer`` are
    e-mail addresses in lower case.
    """

    key: str
    start: datetime
    end: datetime
    summary: str
    attendees: tuple[str, ...]
    organizer: str | None
    cancelled: bool


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An event that cannot be used, and why."""

    summary: str
    sentence: str


@dataclass(frozen=True, slots=True)
class CalendarReading:
    """``events`` are the keys of all events that could be read, also without an occurrence."""

    occurrences: Sequence[Occurrence]
    problems: Sequence[Unreadable]
    events: frozenset[str]


def read_calendar(text: str, *, zone: str, low: datetime, high: datetime) -> CalendarReading:
    """Everything in the calendar that happens in a part of [low, high), by its start.

    Times without a zone, and whole days, are those of the calendar's own zone
    (``X-WR-TIMEZONE``), else of ``zone``. Raises InvalidInput (``text``) for what is
    no calendar, or too much.
    """
    calendar = _parsed(text)
    zone = _own_zone(calendar) or zone
    found: list[Occurrence] = []
    problems: list[Unreadable] = []
    understood: set[str] = set()
    budget = MOST_WORK
    for events in _series(calendar):
        try:
            budget -= _checked(events, zone, low, high)
            if budget < 0:
                raise InvalidInput.of("text", "The events repeat for too long to be computed.")
            found += _expanded(calendar, events, zone, low, high)
            understood.add(event_key(str(_value(events[0], "UID"))))
        except _Refused as error:
            problems.append(Unreadable(_summary(events[0]), str(error)))
        except InvalidInput:
            raise
        except (ValueError, TypeError, AttributeError, KeyError, OverflowError):
            # The library has no error of its own for most of what can be wrong.
            problems.append(Unreadable(_summary(events[0]), "It cannot be understood."))
        if len(found) > MOST_OCCURRENCES:
            sentence = f"More than {MOST_OCCURRENCES} shifts are too many; import a part of them."
            raise InvalidInput.of("text", sentence)
    found.sort(key=lambda each: (each.start, each.key))
    return CalendarReading(found, problems, frozenset(understood))


def event_key(uid: str) -> str:
    """The first part of the keys of an event's occurrences."""
    return _hash(uid)


def event_of(key: str) -> str:
    """The event's key in that of an occurrence."""
    return key[:_HASH]


class _Refused(Exception):
    """Why an event is not taken, as a sentence."""


def _parsed(text: str) -> Calendar:
    if len(text) > LONGEST_TEXT:
        raise InvalidInput.of("text", f"A calendar has at most {LONGEST_TEXT} characters.")
    _measure(text)
    try:
        calendar = Calendar.from_ical(text.removeprefix("\ufeff"))
    except (ValueError, TypeError, AttributeError, KeyError, IndexError):
        raise InvalidInput.of("text", _NO_CALENDAR) from None
    if not isinstance(calendar, Calendar) or calendar.name != "VCALENDAR":
        raise InvalidInput.of("text", _NO_CALENDAR)
    return calendar


def _measure(text: str) -> None:
    """Refuse what has too many parts, or parts too deep in each other, before parsing it."""
    depth = count = 0
    for line in text.splitlines():
        word = line[:6].upper()
        if word == "BEGIN:":
            depth, count = depth + 1, count + 1
        elif word.startswith("END:"):
            depth -= 1
        if depth > _DEEPEST or count > MOST_COMPONENTS:
            sentence = f"A calendar has at most {MOST_COMPONENTS} events, not nested."
            raise InvalidInput.of("text", sentence)


def _own_zone(calendar: Calendar) -> str | None:
    name = calendar.get("X-WR-TIMEZONE")
    if name is None:
        return None
    if str(name) not in zone_names():
        raise InvalidInput.of("text", "The time zone of the calendar (X-WR-TIMEZONE) is unknown.")
    return str(name)


def _series(calendar: Calendar) -> Iterator[list[Event]]:
    """The events with the same UID: an event, and what is different some of the times."""
    found: dict[str, list[Event]] = defaultdict(list)
    for number, part in enumerate(calendar.subcomponents):
        if isinstance(part, Event):
            found[str(_value(part, "UID") or f"\n{number}")].append(_bare(part))
    yield from found.values()


def _bare(event: Event) -> Event:
    """The event with nothing but what is read of it."""
    bare = Event()
    for name in _READ & set(event):
        bare[name] = event[name]
    return bare


def _checked(events: Sequence[Event], zone: str, low: datetime, high: datetime) -> int:
    """The work of expanding the events; raises _Refused for what is not expanded."""
    work = 0
    for event in events:
        if not _value(event, "UID"):
            raise _Refused("It has no UID, by which it could be known again.")
        _refuse_too_many(event)
        start, length = _times(event, zone)
        if "RANGE" in getattr(_value(event, "RECURRENCE-ID"), "params", {}):
            raise _Refused("A change of all later times (RANGE) is not supported.")
        if "EXRULE" in event or isinstance(_value(event, "RRULE"), list):
            raise _Refused(recurrence_limits.NOT_UNDERSTOOD)
        if "RRULE" in event:
            # What began long ago, and lasts long enough, happens still.
            work += _work(dict(_value(event, "RRULE")), start, low - length, high)
    return work


def _refuse_too_many(event: Event) -> None:
    """Raise _Refused for an event that says too much of one kind."""
    if any(_count(_value(event, name)) > _MOST_DATES for name in ("RDATE", "EXDATE")):
        raise _Refused(f"It has more than {_MOST_DATES} single dates.")
    if any(_times_written(event, name) > _MOST_ATTENDEES for name in _READ):
        raise _Refused(f"It has more than {_MOST_ATTENDEES} attendees, or lines of one kind.")


def _times_written(event: Event, name: str) -> int:
    value = _value(event, name)
    return len(value) if isinstance(value, list) else 1


def _work(rule: recurrence_limits.Rule, start: datetime, low: datetime, high: datetime) -> int:
    refusal = recurrence_limits.refusal(rule, start)
    if refusal is not None:
        raise _Refused(refusal)
    if recurrence_limits.most(rule, start, low, high) > MOST_OCCURRENCES:
        raise _Refused(f"It happens more than {MOST_OCCURRENCES} times.")
    return recurrence_limits.work(rule, start, high)


def _times(event: Event, zone: str) -> tuple[datetime, timedelta]:
    """When the event begins, and how long it lasts at most."""
    for name in ("DTSTART", "DTEND", "RECURRENCE-ID"):
        given = _value(event, name)
        naive = isinstance(given and given.dt, datetime) and given.dt.tzinfo is None
        if naive and "TZID" in given.params:
            raise _Refused(f"Its time zone “{str(given.params['TZID'])[:60]}” is unknown.")
    if "DTSTART" not in event:
        raise _Refused("It has no start.")
    start = _instant(_value(event, "DTSTART").dt, zone)
    if start.year < 1970:
        raise _Refused("It begins before 1970.")
    end = _instant(_value(event, "DTEND").dt, zone) if "DTEND" in event else None
    length = _value(event, "DURATION").dt if "DURATION" in event else None
    if (end is not None and end <= start) or (length is not None and length <= timedelta(0)):
        raise _Refused("It does not end after its start.")
    # Without an end it is a whole day, or nothing.
    return start, length or (end - start if end is not None else _DAY)


def _expanded(
    calendar: Calendar, events: Sequence[Event], zone: str, low: datetime, high: datetime
) -> list[Occurrence]:
    alone = Calendar()
    if "X-WR-TIMEZONE" in calendar:
        alone.add("X-WR-TIMEZONE", vText(zone))
    alone.subcomponents = list(events)
    # A day more on each side, because times without a zone have no place in it yet.
    query = recurring_ical_events.of(alone)
    repeats = len(events) > 1 or any(name in events[0] for name in _REPEATING)
    made = [_occurrence(each, zone, repeats) for each in query.between(low - _DAY, high + _DAY)]
    return [each for each in made if each.start < high and low < each.end]


def _occurrence(event: Event, zone: str, repeats: bool) -> Occurrence:
    start, end = (_instant(_value(event, name).dt, zone) for name in ("DTSTART", "DTEND"))
    if end <= start:
        raise _Refused("It does not end after its start.")
    organizer = _value(event, "ORGANIZER")
    return Occurrence(
        key=_key(str(_value(event, "UID")), _value(event, "RECURRENCE-ID").dt if repeats else None),
        start=start,
        end=end,
        summary=_summary(event),
        attendees=tuple(_attendees(event)),
        organizer=None if organizer is None else _address(organizer),
        cancelled=str(_value(event, "STATUS")).upper() == "CANCELLED",
    )


def _key(uid: str, time_of_series: date | None) -> str:
    """What names an occurrence: its event, and when it would happen were it not moved.

    An event that happens once is named by nothing but itself.
    """
    if isinstance(time_of_series, datetime) and time_of_series.tzinfo is not None:
        time_of_series = as_utc(time_of_series, "text")
    return event_key(uid) + _hash(time_of_series.isoformat() if time_of_series else "")


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH]


def _attendees(event: Event) -> Iterator[str]:
    """Those who come: no rooms, and nobody who declined."""
    given = _value(event, "ATTENDEE") or []
    for attendee in given if isinstance(given, list) else [given]:
        params = attendee.params
        person = str(params.get("CUTYPE", "INDIVIDUAL")).upper() in {"INDIVIDUAL", "UNKNOWN"}
        if person and str(params.get("PARTSTAT", "")).upper() != "DECLINED":
            yield _address(attendee)


def _address(value: Any) -> str:
    text = str(value).strip().casefold()
    return text.removeprefix("mailto:")


def _summary(event: Event) -> str:
    """The title as one printable line."""
    text = "".join(
        char if char.isprintable() else " " for char in str(_value(event, "SUMMARY") or "")
    )
    return " ".join(text.split())[:_LONGEST_SUMMARY]


def _value(event: Event, name: str) -> Any:
    """A property, or None. Its type depends on what the calendar says it is."""
    return event.get(name)


def _count(dates: Any) -> int:
    lists: Iterable[Any] = dates if isinstance(dates, list) else [dates]
    return sum(len(each.dts) for each in lists if each is not None)


def _instant(value: Any, zone: str) -> datetime:
    """A time or a whole day (its midnight) as an instant in UTC."""
    if not isinstance(value, datetime):
        if not isinstance(value, date):
            raise _Refused("It has a time that cannot be understood.")
        value = datetime.combine(value, time.min)
    if value.year < EARLIEST.year + 1 or value.year > 2198:
        raise _Refused("It has a time that is too far away.")
    return instant_of(value, zone_of(zone)) if value.tzinfo is None else as_utc(value, "text")
