"""Reads the occurrences of a calendar (iCalendar, RFC 5545).

The text is untrusted. It is measured before it is parsed, and each event's rule before it
is expanded. An unreadable event is reported and does not affect the others.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from icalendar import Calendar, Event

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.local_time import zone_names
from incidentrelay.ical.events import (
    MOST_OCCURRENCES,
    READ_PROPERTIES,
    Occurrence,
    RefusedEvent,
    check_series,
    event_key,
    expand_series,
    summary_of,
    value_of,
)

LONGEST_TEXT = 1_000_000
MOST_COMPONENTS = 2000
# Of the steps by which all rules together are expanded.
MOST_WORK = 250_000
_DEEPEST = 4

_NO_CALENDAR = "This is not a calendar in the iCalendar format (.ics)."


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

    Times without a zone, and whole days, are in the calendar's own zone
    (``X-WR-TIMEZONE``), else in ``zone``. Raises InvalidInput (``text``) for text that is
    no calendar, or is too large.
    """
    calendar = _parsed(text)
    zone = _own_zone(calendar) or zone
    found: list[Occurrence] = []
    problems: list[Unreadable] = []
    understood: set[str] = set()
    budget = MOST_WORK
    for events in _series(calendar):
        try:
            budget -= check_series(events, zone, low, high)
            if budget < 0:
                raise InvalidInput.of("text", "The events repeat for too long to be computed.")
            found += expand_series(calendar, events, zone, low, high)
            understood.add(event_key(str(value_of(events[0], "UID"))))
        except RefusedEvent as error:
            problems.append(Unreadable(summary_of(events[0]), str(error)))
        except InvalidInput:
            raise
        except (ValueError, TypeError, AttributeError, KeyError, OverflowError):
            # The library raises these for most mistakes.
            problems.append(Unreadable(summary_of(events[0]), "It cannot be understood."))
        if len(found) > MOST_OCCURRENCES:
            sentence = f"More than {MOST_OCCURRENCES} shifts are too many; import a part of them."
            raise InvalidInput.of("text", sentence)
    found.sort(key=lambda each: (each.start, each.key))
    return CalendarReading(found, problems, frozenset(understood))


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
    """Refuse too many or too deeply nested components before parsing."""
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
    """The events by UID: an event with its changed occurrences."""
    found: dict[str, list[Event]] = defaultdict(list)
    for number, part in enumerate(calendar.subcomponents):
        if isinstance(part, Event):
            found[str(value_of(part, "UID") or f"\n{number}")].append(_bare(part))
    yield from found.values()


def _bare(event: Event) -> Event:
    """The event with only the properties that are read."""
    bare = Event()
    for name in READ_PROPERTIES & set(event):
        bare[name] = event[name]
    return bare
