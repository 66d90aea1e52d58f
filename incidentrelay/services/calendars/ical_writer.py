"""Calendar feeds as iCalendar (RFC 5545), always the same bytes for the same contents.

The UID of an entry is its rotation and its start, because a rotation has one shift at a time.
It stays the same if someone else takes over the shift or the shift ends earlier, and changes
elsewhere do not affect it.

All times are in UTC, so no zone definitions are needed, and calendar programs show them in
the reader's zone.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode, urlsplit

from icalendar import Calendar, Event, vDuration, vText

from incidentrelay.services.calendars.feed_contents import FeedContents, FeedEntry

_PRODID = "-//IncidentRelay//On call//EN"
# RFC 5545 cannot express them.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_CUT = "There are more shifts than a calendar can hold. Subscribe to single rotations instead."


@dataclass(frozen=True, slots=True)
class CalendarHost:
    """The URL of this installation; its host makes the UIDs of entries globally unique."""

    public_url: str

    @property
    def host(self) -> str:
        return urlsplit(self.public_url).hostname or "localhost"


def render_calendar(contents: FeedContents, place: CalendarHost) -> bytes:
    """The whole calendar."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", _PRODID)
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("uid", vText(f"feed-{contents.feed_id}@{place.host}"))
    # Each text twice: under its standard name, and the older unofficial one.
    for name in ("name", "x-wr-calname"):
        calendar.add(name, vText(_clean(f"On call: {contents.name}")))
    if contents.cut:
        for name in ("description", "x-wr-caldesc"):
            calendar.add(name, vText(_CUT))
    hourly = vDuration(timedelta(hours=1))
    calendar.add("refresh-interval", hourly, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vText("PT1H"))
    for entry in contents.entries:
        calendar.add_component(_event(entry, place))
    return bytes(calendar.to_ical())


def _event(entry: FeedEntry, place: CalendarHost) -> Event:
    shift, rotation = entry.shift, entry.rotation
    override = shift.override_id is not None
    event = Event()
    event.add("uid", vText(f"{rotation.id}-{_basic(shift.start)}@{place.host}"))
    event.add("sequence", entry.sequence)
    # The standard requires the time of the last change, which a feed does not have.
    event.add("dtstamp", entry.changed_at.replace(microsecond=0))
    event.add("last-modified", entry.changed_at.replace(microsecond=0))
    event.add("dtstart", shift.start)
    event.add("dtend", shift.end)
    event.add("summary", vText(_clean(f"On call: {rotation.name} ({entry.person})")))
    source = "Override" if override else f"Layer: {_clean(shift.layer or '')}"
    event.add("description", vText(f"Team: {_clean(rotation.team.name)}\n{source}"))
    event.add("categories", ["On call", "Override"] if override else ["On call"])
    event.add("url", _address(entry, place))
    # Being on call leaves people free for meetings.
    event.add("transp", "TRANSPARENT")
    return event


def _address(entry: FeedEntry, place: CalendarHost) -> str:
    team = entry.rotation.team
    query = {
        "view": "week",
        "date": entry.shift.start.astimezone(UTC).date().isoformat(),
        "rotation": f"{team.slug}/{entry.rotation.slug}",
    }
    return f"{place.public_url}/calendar?{urlencode(query)}"


def _basic(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _clean(text: str) -> str:
    return _CONTROLS.sub(" ", text)
