"""Groups the events of a calendar: which belong together, and which are outdated."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from icalendar import Event

from incidentrelay.ical.zones import CalendarZone

TWICE = "It is listed twice."
OUTDATED = "A newer version of it is in the calendar (SEQUENCE)."
AMBIGUOUS = "Several events have its UID, so it is unclear which of them it changes."


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """A parsed event with the zone of its calendar, or the reason why it cannot be used."""

    event: Event
    zone: CalendarZone
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """An event with its changed occurrences; with a ``refusal``, none of them is used.

    ``shared``: other events have the same UID, so that alone does not identify it.
    """

    events: Sequence[CalendarEvent]
    shared: bool = False
    refusal: str | None = None

    @property
    def uid(self) -> str:
        return str(value_of(self.events[0].event, "UID") or "")


def value_of(event: Event, name: str) -> Any:
    """A property, or None. Its type depends on the calendar."""
    return event.get(name)


def group_series(events: Iterable[CalendarEvent]) -> list[Series]:
    """All events, each in exactly one series."""
    by_uid: dict[str, list[CalendarEvent]] = defaultdict(list)
    for number, each in enumerate(events):
        by_uid[str(value_of(each.event, "UID") or f"\n{number}")].append(each)
    return [series for members in by_uid.values() for series in _series(members)]


def _series(members: Sequence[CalendarEvent]) -> list[Series]:
    """The series of one UID.

    Some programs give all shifts one UID. They are separate events, unless their versions
    differ.
    """
    masters = [each for each in members if "RECURRENCE-ID" not in each.event]
    changes = [each for each in members if "RECURRENCE-ID" in each.event]
    newest, outdated = _newest(masters)
    rejects = [Series([each], refusal=OUTDATED) for each in outdated]
    if len(newest) > 1:
        rejects += [Series([each], refusal=AMBIGUOUS) for each in changes]
        return [Series([each], True, each.refusal) for each in newest] + rejects
    current: list[CalendarEvent] = []
    for versions in _by_time(changes):
        latest, outdated = _newest(versions)
        current.append(latest[0])
        rejects += [Series([each], refusal=TWICE) for each in latest[1:]]
        rejects += [Series([each], refusal=OUTDATED) for each in outdated]
    together = [*newest, *current]
    refusal = next((each.refusal for each in together if each.refusal), None)
    return [Series(together, refusal=refusal), *rejects]


def _newest(
    versions: Sequence[CalendarEvent],
) -> tuple[list[CalendarEvent], list[CalendarEvent]]:
    """Those with the highest SEQUENCE, and the others."""
    latest = max((_sequence(each) for each in versions), default=0)
    newest = [each for each in versions if _sequence(each) == latest]
    return newest, [each for each in versions if _sequence(each) != latest]


def _sequence(version: CalendarEvent) -> int:
    value = value_of(version.event, "SEQUENCE")
    return value if isinstance(value, int) else 0


def _by_time(changes: Iterable[CalendarEvent]) -> list[list[CalendarEvent]]:
    """The changes of each occurrence."""
    found: dict[str, list[CalendarEvent]] = defaultdict(list)
    for each in changes:
        found[time_text(getattr(value_of(each.event, "RECURRENCE-ID"), "dt", None))].append(each)
    return list(found.values())


def time_text(value: date | None) -> str:
    """The same text for the same instant in any zone."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC)
    return value.isoformat() if value else ""
