"""Times in forms: local times of a zone, and minutes."""

import math
from datetime import datetime
from zoneinfo import ZoneInfo

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.local_time import EARLIEST, LATEST, as_utc, instant_of, wall_of, zone_of

_LOCAL = "%Y-%m-%dT%H:%M"


def parse_wall(text: str, field: str) -> datetime:
    """Parse the value of ``<input type="datetime-local">``. Raises InvalidInput."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput.of(field, "Enter a date and a time, like 2026-01-31 09:00.") from None


def parse_instant(text: str, zone: str, field: str) -> datetime:
    """The instant of a local time in ``zone``.

    A time that occurs twice is its first occurrence, as everywhere. Raises InvalidInput
    for a time that the clocks skip, because nobody can mean it.
    """
    place = _find_zone(zone)
    wall = parse_wall(text, field)
    if wall.tzinfo is not None:
        return as_utc(wall, field)
    if not EARLIEST.year <= wall.year < LATEST.year:
        sentence = f"Choose a year from {EARLIEST.year} to {LATEST.year - 1}."
        raise InvalidInput.of(field, sentence)
    found = instant_of(wall, place)
    if wall_of(found, place) != wall:
        sentence = f"There is no {wall:%H:%M} on that day: the clocks go forward over it."
        raise InvalidInput.of(field, sentence)
    return found


def format_wall(value: datetime) -> str:
    """A local time in the format of ``<input type="datetime-local">``."""
    return value.strftime(_LOCAL)


def format_instant(value: datetime, zone: str) -> str:
    return format_wall(wall_of(value, _find_zone(zone)))


def parse_minutes(text: str) -> int | None:
    """Minutes as seconds; None unless it is a number from 0."""
    try:
        found = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return round(found * 60) if math.isfinite(found) and found >= 0 else None


def format_minutes(seconds: int) -> str:
    """Exact enough for ``parse_minutes`` to return the same number."""
    return f"{seconds / 60:.4f}".rstrip("0").rstrip(".")


def _find_zone(name: str) -> ZoneInfo:
    """A zone that a profile names; UTC if the zone database no longer has it."""
    try:
        return zone_of(name)
    except InvalidInput:
        return ZoneInfo("UTC")
