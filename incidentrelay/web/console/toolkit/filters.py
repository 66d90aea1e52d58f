"""Formats values for people. Pure functions, the base of the templates' filters."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
# The first match counts, because browsers also name those they imitate.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_WEB = frozenset({"http", "https"})


def duration(value: timedelta) -> str:
    """At most two units: ``3 d 4 h``, ``12 min``, ``40 s``. The sign does not count."""
    seconds = abs(int(value.total_seconds()))
    if seconds == 0:
        return "0 s"
    parts: list[tuple[int, str]] = []
    for unit, size in _UNITS:
        number, seconds = divmod(seconds, size)
        if number or parts:
            parts.append((number, unit))
    # Seconds matter only if there is no larger unit.
    shown = [part for part in parts[:2] if part[0] and (part[1] != "s" or len(parts) == 1)]
    return " ".join(f"{number} {unit}" for number, unit in shown)


def ago(value: datetime, now: datetime) -> str:
    """``just now``, ``3 min ago``; ``in 2 h`` for future times."""
    age = now - value
    if abs(age) < timedelta(seconds=5):
        return "just now"
    if age < timedelta(0):
        return f"in {_rough(age)}"
    return f"{_rough(age)} ago"


def _rough(value: timedelta) -> str:
    """Two units (``1 h 20 min``), or one from two days on (``3 d``)."""
    text = duration(value)
    days = abs(value) >= timedelta(days=2)
    return " ".join(text.split(" ")[:2]) if days else text


def clock(value: datetime, zone: str, now: datetime) -> str:
    """Local date and time with the zone; the year only if it is not the current one."""
    try:
        local = value.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        local = value.astimezone(UTC)
    year = f" {local.year}" if local.year != now.astimezone(local.tzinfo).year else ""
    return f"{local:%a} {local.day} {local:%b}{year}, {local:%H:%M} {local.tzname() or 'UTC'}"


def span(start: datetime, end: datetime, zone: str, now: datetime) -> str:
    """From start to end; the day and the zone only once if they are the same."""
    first, last = clock(start, zone, now), clock(end, zone, now)
    day, _, at = first.rpartition(", ")
    until, _, till = last.rpartition(", ")
    if day == until and at.partition(" ")[2] == till.partition(" ")[2]:
        return f"{day}, {at.partition(' ')[0]}–{till}"
    return f"{first} – {last}"


def safe_url(value: object) -> str | None:
    """``value`` if it is a plain absolute http or https URL, otherwise None."""
    if not isinstance(value, str) or not value.isprintable() or set(" \\<>\"'`") & set(value):
        return None
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        return None
    return value if parts.scheme in _WEB and host else None


def browser(user_agent: str) -> str:
    """The recognizable part of a user agent."""
    name = next((name for mark, name in _BROWSERS if mark in user_agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    if name is None:
        return user_agent[:60] or "Unknown browser"
    return f"{name} on {system}" if system else name
