"""Expands the events of a calendar into their occurrences."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

import recurring_ical_events
from icalendar import Calendar, Event, vText

from incidentrelay.domain.text import shown_text
from incidentrelay.ical.events import (
    DAY,
    REPEATING,
    RefusedEvent,
    as_instant,
    start_and_length,
)
from incidentrelay.ical.series import Series, time_text, value_of

_LONGEST_SUMMARY = 200
_HASH = 32


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


def event_key(uid: str) -> str:
    """The first part of the keys of an event's occurrences."""
    return _hash(uid)


def event_of(key: str) -> str:
    """The event's part of an occurrence's key."""
    return key[:_HASH]


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
        name in each.event for each in series.events for name in REPEATING
    )
    occurrences = [
        _occurrence(each, zone.name, repeats) for each in query.between(low - DAY, high + DAY)
    ]
    inside = [each for each in occurrences if each.start < high and low < each.end]
    _refuse_lost(series, inside, low, high)
    return inside


def _refuse_lost(
    series: Series, occurrences: Sequence[Occurrence], low: datetime, high: datetime
) -> None:
    """Raise RefusedEvent if an event in [low, high) is not among its occurrences."""
    keys = {each.key for each in occurrences}
    starts = {each.start for each in occurrences}
    for each in series.events:
        changed = value_of(each.event, "RECURRENCE-ID")
        if changed is None and len(series.events) > 1:
            continue
        if changed is None and any(name in each.event for name in ("EXDATE", "RRULE")):
            continue
        start, length = start_and_length(each.event, each.zone.name)
        key = _key(series.uid, changed.dt if changed else None)
        inside = start < high and low < start + length
        if inside and start not in starts and key not in keys:
            raise RefusedEvent("It is excluded from its own series (EXDATE).")


def _occurrence(event: Event, zone: str, repeats: bool) -> Occurrence:
    start, end = (as_instant(value_of(event, name).dt, zone) for name in ("DTSTART", "DTEND"))
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
