"""Feeds as text, read back by two independent parsers."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import vobject
from icalendar import Calendar

from incidentrelay.domain.oncall.shifts import Shift
from incidentrelay.models import Rotation, Team
from incidentrelay.services.calendars.feed_contents import FeedContents, FeedEntry
from incidentrelay.services.calendars.ical_writer import CalendarHost, render_calendar

PLACE = CalendarHost("https://relay.example:8443/sub")
START = datetime(2026, 3, 9, 8, tzinfo=UTC)
DAY = timedelta(days=1)
HOSTILE = [
    "Primary",
    "a, b; c: d \\ e \\n f",
    "quote \" and '",
    "line\r\nBEGIN:VEVENT\r\nSUMMARY:injected",
    "tab\there\x00\x07\x85",
    "Ünïcødé 電話当番 🚨" * 10,
    "x" * 200,
    "\u2028 separator",
    "",
]


def entry(name: str = "Primary", person: str = "Ann", **shift: Any) -> FeedEntry:
    values = {"user_id": 1, "start": START, "end": START + 7 * DAY, "layer": name}
    values |= {"override_id": None} | shift
    team = Team(slug="core", name=name)
    rotation = Rotation(id=7, slug="primary", name=name, team=team)
    return FeedEntry(
        Shift(**values), rotation, person, 4, datetime(2026, 3, 1, 1, 2, 3, 9, tzinfo=UTC)
    )


def rendered(*entries: FeedEntry, name: str = "Core", cut: bool = False) -> bytes:
    return render_calendar(FeedContents(3, name, entries, cut), PLACE)


def test_an_entry_has_what_programs_need() -> None:
    text = rendered(entry(), entry(start=START + 7 * DAY, end=START + 8 * DAY, override_id=5))
    calendar = Calendar.from_ical(text)
    assert (calendar["VERSION"], calendar["METHOD"]) == ("2.0", "PUBLISH")
    assert calendar["NAME"] == calendar["X-WR-CALNAME"] == "On call: Core"
    assert b"\r\nREFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n" in text
    assert b"\r\nX-PUBLISHED-TTL:PT1H\r\n" in text
    first, second = calendar.walk("VEVENT")
    assert first["UID"] == "7-20260309T080000Z@relay.example"
    assert second["UID"] == "7-20260316T080000Z@relay.example"
    assert (first["DTSTART"].dt, first["DTEND"].dt) == (START, START + 7 * DAY)
    assert first["SUMMARY"] == "On call: Primary (Ann)"
    assert first["SEQUENCE"] == 4
    assert first["DTSTAMP"].dt == first["LAST-MODIFIED"].dt == datetime(2026, 3, 1, 1, 2, 3, 0, UTC)
    assert first["DESCRIPTION"] == "Team: Primary\nLayer: Primary"
    assert second["DESCRIPTION"] == "Team: Primary\nOverride"
    assert [each["CATEGORIES"].to_ical() for each in (first, second)] == [
        b"On call",
        b"On call,Override",
    ]
    assert first["URL"] == (
        "https://relay.example:8443/sub/calendar?view=week&date=2026-03-09&rotation=core%2Fprimary"
    )
    # Neither a zone to look up nor somebody to invite.
    assert not {"VTIMEZONE", "TZID", "ATTENDEE", "ORGANIZER"} & set(re.split(r"\W", text.decode()))


def test_the_same_contents_are_the_same_bytes() -> None:
    assert rendered(entry()) == rendered(entry())
    assert rendered(entry()) != rendered(entry(person="Bob"))


def test_an_entry_keeps_its_name_when_it_changes_hands_or_ends_earlier() -> None:
    def uid(**shift: Any) -> str:
        return str(Calendar.from_ical(rendered(entry(**shift))).walk("VEVENT")[0]["UID"])

    assert uid() == uid(end=START + DAY, user_id=2, override_id=9, layer=None)
    assert uid() != uid(start=START + DAY)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_names_stay_inside_of_their_lines(hostile: str) -> None:
    text = rendered(entry(hostile, hostile), name=hostile)
    for line in text.split(b"\r\n"):
        assert len(line) <= 75
        assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", line)
        line.decode()
    plain = re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", hostile)
    summary = f"On call: {plain} ({plain})"
    (event,) = Calendar.from_ical(text).walk("VEVENT")
    assert event["SUMMARY"] == summary
    other = vobject.readOne(text.decode())
    assert len(other.vevent_list) == 1
    assert other.vevent.summary.value == summary
    assert other.vevent.dtstart.value == START
    assert other.vevent.uid.value == event["UID"]
    assert other.contents["x-wr-calname"][0].value == f"On call: {plain}"


def test_vobject_finds_nothing_to_complain_about() -> None:
    text = rendered(entry(), entry(start=START + 7 * DAY, end=START + 8 * DAY))
    vobject.readOne(text.decode()).validate(raiseException=True)


def test_a_calendar_that_is_cut_says_so() -> None:
    assert "too many" not in rendered(entry()).decode()
    text = Calendar.from_ical(rendered(entry(), cut=True))
    assert text["DESCRIPTION"] == text["X-WR-CALDESC"]
    assert "more shifts than a calendar can hold" in text["DESCRIPTION"]


def test_nothing_to_show_is_a_calendar_too() -> None:
    assert Calendar.from_ical(rendered()).walk("VEVENT") == []
