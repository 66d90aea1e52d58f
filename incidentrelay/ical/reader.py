"""Reads the occurrences of a calendar (iCalendar, RFC 5545).

The text is untrusted. It is measured before it is parsed, and each event's rule before it
is expanded. An unreadable event is reported and does not affect the others.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from icalendar import Event

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.ical.components import EventText, split_calendars
from incidentrelay.ical.events import (
    MOST_OCCURRENCES,
    READ_PROPERTIES,
    RefusedEvent,
    check_series,
)
from incidentrelay.ical.occurrences import (
    Occurrence,
    event_key,
    expand_series,
    summary_of,
)
from incidentrelay.ical.series import TWICE, CalendarEvent, Series, group_series
from incidentrelay.ical.zones import (
    CalendarZone,
    calendar_zone,
    defined_zones,
    with_known_zones,
)

# In steps of expansion, for all rules together.
MOST_WORK = 250_000
_UNCLEAR = "It cannot be understood."
_PARTS = "A part of it, like an alarm, has no beginning or no end."
_NAME = re.compile(r"[A-Za-z0-9-]+")
# Raised by the libraries for most mistakes.
_MISTAKES = (ValueError, TypeError, AttributeError, KeyError, IndexError, OverflowError)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An event that cannot be read, and why."""

    summary: str
    sentence: str


@dataclass(frozen=True, slots=True)
class CalendarReading:
    """``events`` are the keys of all readable events, even without an occurrence."""

    occurrences: Sequence[Occurrence]
    problems: Sequence[Unreadable]
    events: frozenset[str]


def read_calendar(text: str, *, zone: str, low: datetime, high: datetime) -> CalendarReading:
    """The occurrences that overlap [low, high), by start.

    Every event is either read or among the problems. Times without a zone, and whole
    days, are in the calendar's own zone (``X-WR-TIMEZONE``), else in ``zone``. Raises
    InvalidInput (``text``) for text that is no calendar, or is too large.
    """
    found: dict[str, Occurrence] = {}
    problems: list[Unreadable] = []
    readable: set[str] = set()
    unreadable: set[str] = set()
    budget = MOST_WORK
    for series in group_series(_parsed(text, zone)):
        key = event_key(series.uid)
        try:
            budget -= _cost(series, low, high)
            if budget < 0:
                raise InvalidInput.of("text", "The events repeat for too long to be computed.")
            expanded = _expanded(series, low, high)
            if not found.keys().isdisjoint(expanded):
                raise RefusedEvent(TWICE)
            found |= expanded
            readable.add(key)
        except RefusedEvent as error:
            unreadable.add(key)
            problems += [
                Unreadable(summary_of(each.event), each.refusal or str(error))
                for each in series.events
            ]
        if len(found) > MOST_OCCURRENCES:
            sentence = f"More than {MOST_OCCURRENCES} shifts are too many; import a part of them."
            raise InvalidInput.of("text", sentence)
    occurrences = sorted(found.values(), key=lambda each: (each.start, each.key))
    return CalendarReading(occurrences, problems, frozenset(readable - unreadable))


def _cost(series: Series, low: datetime, high: datetime) -> int:
    try:
        return check_series(series, low, high)
    except (InvalidInput, *_MISTAKES):
        raise RefusedEvent(_UNCLEAR) from None


def _expanded(series: Series, low: datetime, high: datetime) -> dict[str, Occurrence]:
    """The occurrences by key."""
    try:
        occurrences = expand_series(series, low, high)
    except (InvalidInput, *_MISTAKES):
        raise RefusedEvent(_UNCLEAR) from None
    by_key = {each.key: each for each in occurrences}
    if len(by_key) < len(occurrences):
        raise RefusedEvent(TWICE)
    return by_key


def _parsed(text: str, default_zone: str) -> Iterator[CalendarEvent]:
    """All events of all calendars of the text."""
    for calendar in split_calendars(text):
        zone = calendar_zone(calendar.zone, default_zone)
        with defined_zones(calendar.zones):
            events = [_event(each, zone) for each in calendar.events]
        yield from events


def _event(text: EventText, zone: CalendarZone) -> CalendarEvent:
    """The event with only the properties that are read; other lines are skipped."""
    lines = [with_known_zones(line) for line in text.lines if _is_read(line)]
    try:
        event = Event.from_ical("\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT"]))
    except _MISTAKES:
        event = None
    if not isinstance(event, Event):
        return CalendarEvent(Event(), zone, _UNCLEAR)
    refusal = None if text.clear else _PARTS
    if any(name != "SEQUENCE" for name, _ in event.errors):
        refusal = _UNCLEAR
    if not isinstance(event.get("SEQUENCE"), int):
        event.pop("SEQUENCE", None)
    return CalendarEvent(event, zone, refusal)


def _is_read(line: str) -> bool:
    """Whether the line is a property that is read; an empty list of dates has no meaning."""
    name = _NAME.match(line)
    if name is None or name[0].upper() not in READ_PROPERTIES:
        return False
    return name[0].upper() not in {"EXDATE", "RDATE"} or not line.endswith(":")
