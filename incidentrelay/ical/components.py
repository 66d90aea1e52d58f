"""Splits the text of a calendar into components, line by line, before it is parsed.

A bad line affects only itself: an event whose first or last line is unreadable ends where the
next one begins, and meaningless lines are skipped.
"""

import re
from dataclasses import dataclass, field

from incidentrelay.domain.errors import InvalidInput

LONGEST_TEXT = 1_000_000
MOST_COMPONENTS = 2000
_DEEPEST = 4

_NO_CALENDAR = "This is not a calendar in the iCalendar format (.ics)."
_CUT_OFF = "The calendar is cut off: its last line (END:VCALENDAR) is missing."
# Components inside an event, whose lines look like the event's own.
_PARTS = frozenset({"VALARM", "PARTICIPANT", "VLOCATION", "VRESOURCE"})
_FOLD = re.compile(r"(?:\r?\n|\r)+[ \t]")
_LINE_END = re.compile(r"[\r\n]+")
_ZONE = re.compile(r"X-WR-TIMEZONE(?:;[^:]*)?:(.*)", re.IGNORECASE)


@dataclass(slots=True)
class EventText:
    """The lines of one event, without those of nested components such as alarms.

    ``clear`` is false if some lines may belong to a nested component.
    """

    lines: list[str] = field(default_factory=list)
    clear: bool = True


@dataclass(slots=True)
class CalendarText:
    """One VCALENDAR: the name of its zone, its definitions of zones, and its events."""

    zone: str | None = None
    zones: list[list[str]] = field(default_factory=list)
    events: list[EventText] = field(default_factory=list)


def split_calendars(text: str) -> list[CalendarText]:
    """The calendars of the text; the first holds what is outside of all.

    Raises InvalidInput (``text``) for text that is no calendar, is cut off, or is too large.
    """
    if len(text) > LONGEST_TEXT:
        raise InvalidInput.of("text", f"A calendar has at most {LONGEST_TEXT} characters.")
    scanner = _Scanner()
    for line in _LINE_END.split(_FOLD.sub("", text.removeprefix("\ufeff"))):
        scanner.read(line.strip())
    if len(scanner.calendars) == 1:
        raise InvalidInput.of("text", _NO_CALENDAR)
    if "VCALENDAR" in scanner.stack:
        raise InvalidInput.of("text", _CUT_OFF)
    return scanner.calendars


class _Scanner:
    """The position in the text: ``stack`` has the names of the open components."""

    def __init__(self) -> None:
        self.calendars = [CalendarText()]
        self.stack: list[str] = []
        self._current = self.calendars[0]
        self._count = 0
        # Lines since the last component: an event, if its end follows without a beginning.
        self._loose: list[str] = []

    def read(self, line: str) -> None:
        name, _, value = line.partition(":")
        word = value.strip().upper()
        if name.upper() == "BEGIN":
            self._begin(word, line)
        elif name.upper() == "END":
            self._end(word, line)
        elif line:
            self._content(line)

    def _begin(self, name: str, line: str) -> None:
        self._count += 1
        if name == "VCALENDAR":
            self._close("VEVENT")
            self.stack.clear()
            self._current = CalendarText()
            self.calendars.append(self._current)
        elif name == "VEVENT":
            self._close("VEVENT")
            self._close("VTIMEZONE")
            self._current.events.append(EventText())
        elif name == "VTIMEZONE":
            self._current.zones.append([])
        elif "VTIMEZONE" in self.stack:
            self._current.zones[-1].append(line)
        self._loose.clear()
        self.stack.append(name)
        if len(self.stack) > _DEEPEST or self._count > MOST_COMPONENTS:
            sentence = f"A calendar has at most {MOST_COMPONENTS} events, not nested."
            raise InvalidInput.of("text", sentence)

    def _end(self, name: str, line: str) -> None:
        if name == "VEVENT" and name not in self.stack:
            if any(line[:7].upper() == "DTSTART" for line in self._loose):
                self._current.events.append(EventText(list(self._loose)))
            del self.stack[1:]
        elif name in _PARTS and name not in self.stack and self.stack[-1:] == ["VEVENT"]:
            self._current.events[-1].clear = False
        if name != "VTIMEZONE" and "VTIMEZONE" in self.stack:
            self._current.zones[-1].append(line)
        if name == "VCALENDAR":
            self._close("VEVENT")
        self._close(name)
        if name == "VCALENDAR":
            self._current = self.calendars[0]
        self._loose.clear()

    def _close(self, name: str) -> None:
        """Close the component with that name, and all open ones in it."""
        if name not in self.stack:
            return
        place = self.stack.index(name)
        if name == "VEVENT" and self.stack[-1] != name:
            self._current.events[-1].clear = False
        del self.stack[place:]

    def _content(self, line: str) -> None:
        inside = self.stack[-1] if self.stack else ""
        if inside == "VEVENT":
            self._current.events[-1].lines.append(line)
        elif "VTIMEZONE" in self.stack:
            self._current.zones[-1].append(line)
        else:
            self._loose.append(line)
            zone = _ZONE.fullmatch(line)
            if zone and inside == "VCALENDAR":
                self._current.zone = zone[1].strip()
