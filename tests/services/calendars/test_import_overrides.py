"""Overrides imported from calendars, on both databases."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.errors import InvalidInput, NotFound
from incidentrelay.models import AuditEntry, Group, Rotation, RotationOverride, Team, User
from incidentrelay.services.calendars import import_overrides
from incidentrelay.services.calendars.import_overrides import ImportReport
from incidentrelay.services.oncall import current as on_call_now
from incidentrelay.services.oncall import overrides
from incidentrelay.transport.http import Blocked, Response, TransportError
from tests.services.conftest import acting
from tests.support import factories
from tests.support.calendars import calendar, event

pytestmark = pytest.mark.both_databases

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# The instant of the tests is Tuesday, 10 March 2026, 12:00 UTC.
FIRST = event("DTSTART:20260312T090000Z", "DTEND:20260313T090000Z", "SUMMARY:bob", uid="a")
SECOND = event("DTSTART:20260314T090000Z", "DTEND:20260315T090000Z", "SUMMARY:cy", uid="b")
WEEKLY = event(
    "DTSTART:20260311T090000Z", "DURATION:PT8H", "SUMMARY:bob", "RRULE:FREQ=WEEKLY;COUNT=3"
)

Import = Callable[..., ImportReport]


@pytest.fixture
def primary(session: Session, team: Team, people: dict[str, User]) -> Rotation:
    return factories.rotation(session, team, "primary", (people["ann"],))


@pytest.fixture
def load(session: Session, primary: Rotation, people: dict[str, User], now: datetime) -> Import:
    """Imports events into the rotation: ``load(FIRST, SECOND, at=now)``."""

    def imported(*events: str, at: datetime = now, **options: Any) -> ImportReport:
        options = {"dry_run": False, "skip_problems": False, "whole": False} | options
        zone = import_overrides.default_zone(session, primary, at)
        text = calendar(*events)
        reading = import_overrides.read_calendar(NoNet(), text=text, url=None, zone=zone, now=at)
        report = import_overrides.run_import(
            session, primary, reading, **options, actor=acting(people["ann"]), now=at
        )
        session.flush()
        session.expire_all()
        return report

    return imported


class NoNet:
    def request(self, *_args: Any, **_options: Any) -> Response:
        raise AssertionError("Nothing is fetched.")


def stored(session: Session) -> list[tuple[str, str, str]]:
    query = select(RotationOverride, User).join(User, User.id == RotationOverride.user_id)
    query = query.order_by(RotationOverride.starts_at, RotationOverride.id)
    return [
        (user.username, f"{row.starts_at:%dT%H:%M}", f"{row.ends_at:%dT%H:%M}")
        for row, user in session.execute(query)
    ]


def actions(report: ImportReport) -> list[str]:
    return [str(plan.action) for plan in report.planned]


def test_each_occurrence_becomes_an_override(
    session: Session, primary: Rotation, load: Import, now: datetime
) -> None:
    report = load(FIRST, SECOND)
    assert actions(report) == ["create", "create"]
    assert stored(session) == [("bob", "12T09:00", "13T09:00"), ("cy", "14T09:00", "15T09:00")]
    shifts = on_call_now.rotation_shifts(session, primary, now, now + 5 * DAY)
    assert [shift.override_id is not None for shift in shifts] == [False, True, False, True, False]
    assert session.scalars(select(RotationOverride.reason)).first() == "Imported: bob"
    lines = session.scalars(select(AuditEntry)).all()
    assert [(line.action, line.subject_kind) for line in lines] == [("create", "override")] * 2


def test_a_dry_run_writes_nothing(session: Session, load: Import) -> None:
    report = load(WEEKLY, FIRST, dry_run=True)
    assert actions(report) == ["create"] * 4
    assert not report.applied
    assert stored(session) == []
    assert session.scalars(select(AuditEntry)).all() == []


def test_importing_again_changes_and_never_doubles(session: Session, load: Import) -> None:
    load(FIRST, WEEKLY)
    once = stored(session)
    again = load(FIRST, WEEKLY)
    assert set(actions(again)) == {"keep"}
    assert stored(session) == once
    changed = load(FIRST.replace("SUMMARY:bob", "SUMMARY:cy").replace("0313T09", "0313T12"))
    assert actions(changed) == ["update"]
    assert ("cy", "12T09:00", "13T12:00") in stored(session)
    assert len(stored(session)) == len(once)


def test_a_moved_occurrence_moves_its_override(session: Session, load: Import) -> None:
    load(WEEKLY)
    moved = event(
        "RECURRENCE-ID:20260318T090000Z", "DTSTART:20260319T100000Z", "DURATION:PT8H", "SUMMARY:cy"
    )
    assert actions(load(WEEKLY, moved)) == ["keep", "update", "keep"]
    assert stored(session) == [
        ("bob", "11T09:00", "11T17:00"),
        ("cy", "19T10:00", "19T18:00"),
        ("bob", "25T09:00", "25T17:00"),
    ]


def test_what_a_series_has_no_more_is_taken_away(session: Session, load: Import) -> None:
    load(WEEKLY, FIRST)
    without = WEEKLY.replace("END:VEVENT", "EXDATE:20260318T090000Z\r\nEND:VEVENT")
    assert actions(load(without)) == ["keep", "keep", "remove"]
    assert stored(session) == [
        ("bob", "11T09:00", "11T17:00"),
        ("bob", "12T09:00", "13T09:00"),
        ("bob", "25T09:00", "25T17:00"),
    ]
    # The whole series an hour later is the same series.
    load(WEEKLY.replace("0311T09", "0311T10"))
    assert [line for line in stored(session) if line[1] != "12T09:00"] == [
        ("bob", "11T10:00", "11T18:00"),
        ("bob", "18T10:00", "18T18:00"),
        ("bob", "25T10:00", "25T18:00"),
    ]
    # It ended in the past.
    load(WEEKLY.replace("0311T09", "0301T09").replace("COUNT=3", "COUNT=1"))
    assert stored(session) == [("bob", "12T09:00", "13T09:00")]


def test_a_calendar_that_is_the_whole_roster_takes_away_what_it_has_not(
    session: Session, primary: Rotation, load: Import, people: dict[str, User], now: datetime
) -> None:
    window = {"starts_at": now + 20 * DAY, "ends_at": now + 21 * DAY}
    factories.override(session, primary, people["cy"], **window)
    load(FIRST, SECOND)
    assert actions(load(SECOND)) == ["keep"]
    assert actions(load(SECOND, whole=True)) == ["keep", "remove"]
    # An override created by hand is no import, and stays.
    assert [line[0] for line in stored(session)] == ["cy", "cy"]


def test_nothing_is_taken_away_while_an_event_cannot_be_read(
    session: Session, load: Import
) -> None:
    load(FIRST, SECOND)
    broken = SECOND.replace("DTSTART", "X-NOTHING")
    load(broken, skip_problems=True, whole=True)
    assert len(stored(session)) == 2


def test_a_single_event_that_is_moved_stays_one(session: Session, load: Import) -> None:
    load(FIRST)
    moved = FIRST.replace("0312T09", "0320T09").replace("0313T09", "0321T09")
    assert actions(load(moved)) == ["update"]
    assert stored(session) == [("bob", "20T09:00", "21T09:00")]


def test_an_event_that_is_unreadable_now_keeps_what_it_had(session: Session, load: Import) -> None:
    load(FIRST)
    broken = FIRST.replace("DTEND:20260313T090000Z", "DTEND:20260301T090000Z")
    assert load(broken, skip_problems=True).planned == []
    assert stored(session) == [("bob", "12T09:00", "13T09:00")]


def test_a_cancelled_event_takes_its_override_away(session: Session, load: Import) -> None:
    cancelled = FIRST.replace("SUMMARY", "STATUS:CANCELLED\r\nSUMMARY")
    assert load(cancelled).planned == []
    load(FIRST, SECOND)
    assert actions(load(cancelled, SECOND)) == ["remove", "keep"]
    assert stored(session) == [("cy", "14T09:00", "15T09:00")]


def test_what_has_begun_begins_now_and_keeps_its_past(
    session: Session, load: Import, now: datetime
) -> None:
    running = event("DTSTART:20260310T060000Z", "DTEND:20260310T180000Z", "SUMMARY:bob")
    load(running)
    assert stored(session) == [("bob", "10T12:00", "10T18:00")]
    later = now + HOUR
    assert actions(load(running, at=later)) == ["keep"]
    assert actions(load(running.replace("0310T18", "0310T20"), at=later)) == ["update"]
    assert stored(session) == [("bob", "10T12:00", "10T20:00")]
    # Somebody else from now on: the past stays.
    assert actions(load(running.replace("SUMMARY:bob", "SUMMARY:cy"), at=later)) == ["update"]
    assert stored(session) == [("bob", "10T12:00", "10T13:00"), ("cy", "10T13:00", "10T18:00")]
    assert actions(load(running.replace("SUMMARY:bob", "SUMMARY:cy"), at=later)) == ["keep"]
    # Moved to a later time: the running override ends, and the rest is new.
    moved = running.replace("0310T06", "0310T15").replace("SUMMARY:bob", "SUMMARY:cy")
    load(moved, at=later + HOUR)
    assert stored(session)[1:] == [("cy", "10T13:00", "10T14:00"), ("cy", "10T15:00", "10T18:00")]


def test_what_was_ended_by_hand_comes_back_with_an_import(
    session: Session, load: Import, people: dict[str, User], now: datetime
) -> None:
    running = event("DTSTART:20260310T060000Z", "DTEND:20260310T180000Z", "SUMMARY:bob")
    load(running)
    (row,) = session.scalars(select(RotationOverride)).all()
    overrides.delete(session, row, actor=acting(people["ann"]), now=now + HOUR)
    assert actions(load(running, at=now + 2 * HOUR)) == ["create"]
    assert stored(session) == [("bob", "10T12:00", "10T13:00"), ("bob", "10T14:00", "10T18:00")]


@pytest.mark.parametrize(
    "lines",
    [
        ("ATTENDEE:mailto:BOB@example.test", "SUMMARY:cy"),
        ("SUMMARY:On call: Bob@Example.test",),
        ("SUMMARY:BOB",),
        ("SUMMARY:Bob Builder",),
        ("SUMMARY:On call: Ann's rotation (Bob Builder)",),
        ("SUMMARY:shift [bob]",),
        ("SUMMARY:Night shift", "ORGANIZER:mailto:bob@example.test"),
        ("SUMMARY:bob", "ORGANIZER:mailto:cy@example.test"),
        ("SUMMARY:x", "ATTENDEE:mailto:nobody@example.test", "ATTENDEE:mailto:bob@example.test"),
    ],
)
def test_who_is_meant(
    session: Session, load: Import, people: dict[str, User], lines: tuple[str, ...]
) -> None:
    people["bob"].display_name = "Bob Builder"
    load(event("DTSTART:20260312T090000Z", "DURATION:PT8H", *lines))
    assert stored(session) == [("bob", "12T09:00", "12T17:00")]


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (("SUMMARY:Holiday",), "names no active member"),
        (("SUMMARY:zoe",), "names no active member"),
        (("SUMMARY:bob, cy",), "more than one person: bob, cy"),
        (
            ("SUMMARY:x", "ATTENDEE:mailto:bob@example.test", "ATTENDEE:mailto:cy@example.test"),
            "more than one person",
        ),
        (("SUMMARY:bobby and psy",), "names no active member"),
        (("SUMMARY:bob", "RRULE:FREQ=SECONDLY"), "every second"),
    ],
)
def test_what_is_not_clear_keeps_everything_from_being_written(
    session: Session, load: Import, lines: tuple[str, ...], sentence: str
) -> None:
    unclear = event("DTSTART:20260320T090000Z", "DURATION:PT8H", *lines, uid="x")
    with pytest.raises(InvalidInput) as caught:
        load(FIRST, unclear)
    said = caught.value.errors["skip_problems"]
    assert sentence in said[0]
    assert said[-1] == "Nothing was imported."
    assert stored(session) == []
    (problem,) = load(FIRST, unclear, dry_run=True).problems
    assert sentence in problem.sentence
    report = load(FIRST, unclear, skip_problems=True)
    assert (actions(report), len(report.problems)) == (["create"], 1)
    assert stored(session) == [("bob", "12T09:00", "13T09:00")]


def test_people_who_are_not_active_are_nobody(
    session: Session, load: Import, people: dict[str, User]
) -> None:
    people["bob"].active = False
    session.flush()
    assert len(load(FIRST, dry_run=True).problems) == 1


def test_two_people_at_the_same_time_are_not_clear(session: Session, load: Import) -> None:
    overlapping = SECOND.replace("0314T09", "0313T08")
    report = load(FIRST, overlapping, WEEKLY, dry_run=True)
    assert [problem.summary for problem in report.problems] == ["bob", "cy"]
    assert "at the same time as “cy”" in report.problems[0].sentence
    assert len(report.planned) == 3
    # The same person twice is clear, and so are shifts that only touch.
    assert (
        load(FIRST, overlapping.replace("SUMMARY:cy", "SUMMARY:bob"), dry_run=True).problems == []
    )
    assert load(FIRST, SECOND.replace("0314T09", "0313T09"), dry_run=True).problems == []


def test_a_shift_of_more_than_a_year_is_not_taken(load: Import) -> None:
    long = event("DTSTART:20260312T090000Z", "DTEND:20280312T090000Z", "SUMMARY:bob")
    (problem,) = load(long, dry_run=True).problems
    assert "longer than 366 days" in problem.sentence


def test_the_same_calendar_in_two_rotations_is_two_things(
    session: Session, load: Import, team: Team, people: dict[str, User], now: datetime
) -> None:
    load(FIRST)
    other = factories.rotation(session, team, "other")
    reading = import_overrides.read_calendar(
        NoNet(), text=calendar(FIRST), url=None, zone="UTC", now=now
    )
    import_overrides.run_import(
        session,
        other,
        reading,
        dry_run=False,
        whole=False,
        skip_problems=False,
        actor=acting(people["ann"]),
        now=now,
    )
    session.flush()
    assert len(stored(session)) == 2


def test_times_without_a_zone_are_those_of_the_lowest_layer(
    session: Session, team: Team, people: dict[str, User], now: datetime
) -> None:
    rotation = factories.rotation(session, team, "tokyo")
    assert import_overrides.default_zone(session, rotation, now) == "UTC"
    factories.revision(session, rotation, (people["ann"],), zone="Asia/Tokyo")
    assert import_overrides.default_zone(session, rotation, now) == "Asia/Tokyo"


def test_a_rotation_that_is_gone_is_not_found(session: Session, group: Group) -> None:
    with pytest.raises(NotFound):
        import_overrides.reload_rotation(session, 10**6)


class Net:
    """Returns the given responses."""

    def __init__(self, answer: Response | Exception) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str]] = []

    def request(self, method: str, url: str, **_options: Any) -> Response:
        self.asked.append((method, url))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_calendar_is_fetched(now: datetime) -> None:
    net = Net(Response(200, {}, calendar(FIRST).encode()))
    reading = import_overrides.read_calendar(
        net, text=None, url="https://a.example/x", zone="UTC", now=now
    )
    assert len(reading.occurrences) == 1
    assert net.asked == [("GET", "https://a.example/x")]


@pytest.mark.parametrize(
    "answer",
    [
        Blocked("This address is not public."),
        TransportError("It did not answer in time."),
        Response(404, {}, b""),
        Response(200, {}, calendar(FIRST).encode(), complete=False),
        Response(200, {}, b"\xff\xfe"),
        Response(200, {}, b"<html>"),
    ],
)
def test_what_cannot_be_fetched_is_said_of_the_url(
    answer: Response | Exception, now: datetime
) -> None:
    with pytest.raises(InvalidInput) as caught:
        import_overrides.read_calendar(
            Net(answer), text=None, url="https://a/x", zone="UTC", now=now
        )
    assert list(caught.value.errors) == ["url"]


@pytest.mark.parametrize("scheme", ["webcal", "webcals", "WEBCAL"])
def test_the_address_that_calendar_programs_show_is_fetched(scheme: str, now: datetime) -> None:
    net = Net(Response(200, {}, calendar(FIRST).encode()))
    import_overrides.read_calendar(
        net, text=None, url=f"{scheme}://a.example/x", zone="UTC", now=now
    )
    assert net.asked == [("GET", "https://a.example/x")]


@pytest.mark.parametrize(("text", "url"), [(None, None), ("x", "https://a")])
def test_one_source_is_needed(text: str | None, url: str | None, now: datetime) -> None:
    with pytest.raises(InvalidInput, match="not right"):
        import_overrides.read_calendar(NoNet(), text=text, url=url, zone="UTC", now=now)
