"""Time zones as calendars name them: by IANA, by Windows, or by a definition of their own."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from icalendar import Timezone
from icalendar.timezone import tzp
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from incidentrelay.domain.local_time import zone_names

_TZID = re.compile(r'(;TZID=)"?([^":;]+)"?', re.IGNORECASE)
_MOST_DEFINITIONS, _LONGEST_DEFINITION = 20, 20_000
_RULE = re.compile(r"RRULE[;:]", re.IGNORECASE)
_YEARLY = re.compile(r"\bFREQ=YEARLY\b", re.IGNORECASE)
# The library caches zone definitions of all calendars for the whole process.
_library = Lock()


@dataclass(frozen=True, slots=True)
class CalendarZone:
    """The zone of times that name none.

    ``own``: the calendar names it. ``unknown`` is the name that it gives, if there is
    no such zone.
    """

    name: str
    own: bool = False
    unknown: str | None = None


def calendar_zone(name: str | None, default: str) -> CalendarZone:
    """The zone that a calendar names (``X-WR-TIMEZONE``), else ``default``."""
    if not name:
        return CalendarZone(default)
    known = known_zone(name)
    if known is None:
        return CalendarZone(default, unknown=name)
    return CalendarZone(known, own=True)


def known_zone(name: str) -> str | None:
    """The IANA name of a zone; None if the name is not certain to mean one.

    Some programs write ``W. Europe Standard Time``, or ``/vendor.example/Europe/Berlin``.
    """
    bare = name.strip().strip('"').strip("/")
    if bare in zone_names():
        return bare
    if bare in WINDOWS_TO_OLSON:
        return WINDOWS_TO_OLSON[bare]
    parts = bare.split("/") if name.startswith("/") else []
    tails = ("/".join(parts[place:]) for place in range(1, len(parts)))
    return next((tail for tail in tails if tail in zone_names()), None)


def with_known_zones(line: str) -> str:
    """The line with the IANA name of a zone that it names with a vendor's prefix."""
    head, colon, value = line.partition(":")

    def replace(found: re.Match[str]) -> str:
        known = known_zone(found[2]) if found[2].startswith("/") else None
        return found[0] if known is None else found[1] + known

    return _TZID.sub(replace, head) + colon + value


@contextmanager
def defined_zones(definitions: Sequence[Sequence[str]]) -> Iterator[None]:
    """Inside, events are parsed with these definitions of zones, and no others.

    A definition that cannot be read is skipped: events that need it are reported.
    """
    with _library:
        tzp.use_default()
        for lines in [each for each in definitions if _is_bounded(each)][:_MOST_DEFINITIONS]:
            text = "\r\n".join(["BEGIN:VTIMEZONE", *lines, "END:VTIMEZONE"])
            try:
                Timezone.from_ical(text)
            except (ValueError, TypeError, AttributeError, KeyError, IndexError, OverflowError):
                continue
        try:
            yield
        finally:
            tzp.use_default()


def _is_bounded(lines: Sequence[str]) -> bool:
    """Whether the definition is cheap to expand: real clocks change by yearly rules."""
    rules = [line for line in lines if _RULE.match(line)]
    return all(_YEARLY.search(rule) for rule in rules) and (
        sum(map(len, lines)) <= _LONGEST_DEFINITION
    )
