"""Calendars, ordinary and hostile."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.ical import reader
from incidentrelay.ical.occurrences import Occurrence
from incidentrelay.ical.reader import CalendarReading
from tests.support.calendars import calendar, event

LOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HIGH = LOW + timedelta(days=366)
ZONE = "Europe/Berlin"


def read(text: str) -> CalendarReading:
    return reader.read_calendar(text, zone=ZONE, low=LOW, high=HIGH)


def one(*lines: str, head: tuple[str, ...] = ()) -> Occurrence:
    reading = read(calendar(event(*lines), head=head))
    assert reading.problems == []
    (occurrence,) = reading.occurrences
    return occurrence


def said(text: str) -> str:
    reading = read(text)
    assert reading.occurrences == []
    (problem,) = reading.problems
    return problem.sentence


def starts(reading: CalendarReading) -> list[str]:
    return [f"{each.start:%m-%dT%H:%M}" for each in reading.occurrences]


@pytest.mark.parametrize(
    ("lines", "start", "end"),
    [
        (("DTSTART:20260320T080000Z", "DTEND:20260320T160000Z"), "20T08:00", "20T16:00"),
        (("DTSTART:20260320T080000Z", "DURATION:PT30M"), "20T08:00", "20T08:30"),
        # Without a zone: that of the rotation.
        (("DTSTART:20260320T080000", "DTEND:20260320T160000"), "20T07:00", "20T15:00"),
        (("DTSTART;VALUE=DATE:20260320",), "19T23:00", "20T23:00"),
        # The day on which the clocks go forward has 23 hours.
        (("DTSTART;VALUE=DATE:20260329", "DTEND;VALUE=DATE:20260330"), "28T23:00", "29T22:00"),
        # 02:30 does not exist on that day.
        (("DTSTART:20260329T023000", "DTEND:20260329T040000"), "29T01:00", "29T02:00"),
        (
            ("DTSTART;TZID=Asia/Tokyo:20260320T090000", "DTEND;TZID=Asia/Tokyo:20260320T100000"),
            "20T00:00",
            "20T01:00",
        ),
        (
            ("DTSTART;TZID=W. Europe Standard Time:20260320T090000", "DURATION:PT1H"),
            "20T08:00",
            "20T09:00",
        ),
    ],
)
def test_times(lines: tuple[str, ...], start: str, end: str) -> None:
    found = one(*lines)
    assert (f"{found.start:%dT%H:%M}", f"{found.end:%dT%H:%M}") == (start, end)


def test_the_zone_of_the_calendar_wins_over_that_of_the_rotation() -> None:
    head = ("X-WR-TIMEZONE:Asia/Tokyo",)
    assert one("DTSTART:20260320T090000", "DURATION:PT1H", head=head).start.hour == 0
    whole_day = one("DTSTART;VALUE=DATE:20260320", head=head)
    assert whole_day.start == datetime(2026, 3, 19, 15, tzinfo=UTC)
    # In the zone of the calendar, nine o'clock stays nine o'clock.
    rule = ("DTSTART:20260326T080000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=2")
    text = calendar(event(*rule), head=("X-WR-TIMEZONE:Europe/Berlin",))
    assert starts(read(text)) == ["03-26T08:00", "04-02T07:00"]


def test_an_embedded_time_zone_is_understood() -> None:
    zone = (
        "BEGIN:VTIMEZONE\r\nTZID:Office\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
        "TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0200\r\nEND:STANDARD\r\nEND:VTIMEZONE"
    )
    text = calendar(zone, event("DTSTART;TZID=Office:20260320T090000", "DURATION:PT1H"))
    assert starts(read(text)) == ["03-20T07:00"]


def test_a_repeating_event_with_exceptions() -> None:
    base = ("DTSTART;TZID=Europe/Berlin:20260316T090000", "DURATION:PT8H")
    moved = "RECURRENCE-ID;TZID=Europe/Berlin:20260330T090000"
    text = calendar(
        event(
            *base,
            "RRULE:FREQ=WEEKLY;COUNT=5",
            "EXDATE;TZID=Europe/Berlin:20260323T090000",
            "RDATE;TZID=Europe/Berlin:20260501T090000",
        ),
        event(moved, "DTSTART;TZID=Europe/Berlin:20260331T100000", "DURATION:PT8H"),
    )
    assert starts(read(text)) == [
        "03-16T08:00",
        "03-31T08:00",
        "04-06T07:00",
        "04-13T07:00",
        "05-01T07:00",
    ]


def test_an_occurrence_keeps_its_key_when_it_is_moved_or_spelled_in_another_zone() -> None:
    rule = ("DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=2")
    plain = read(calendar(event("DTSTART;TZID=Europe/Berlin:20260316T090000", *rule)))
    text = calendar(
        event("DTSTART;TZID=Europe/Berlin:20260316T090000", *rule),
        event("RECURRENCE-ID:20260323T080000Z", "DTSTART:20260325T080000Z", "DURATION:PT1H"),
    )
    moved = read(text)
    assert [each.key for each in moved.occurrences] == [each.key for each in plain.occurrences]
    assert starts(moved) != starts(plain)
    other = read(calendar(event("DTSTART:20260316T080000Z", *rule, uid="other")))
    assert {each.key for each in other.occurrences}.isdisjoint(
        each.key for each in plain.occurrences
    )


def test_only_what_touches_the_window_is_read() -> None:
    text = calendar(
        event("DTSTART:20260310T110000Z", "DURATION:PT1H", uid="over"),
        event("DTSTART:20260310T110000Z", "DURATION:PT2H", uid="running"),
        event("DTSTART:20270311T120000Z", "DURATION:PT1H", uid="far"),
        event("DTSTART:20260101T000000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY", uid="daily"),
    )
    found = read(text)
    assert len(found.occurrences) == 1 + 366
    assert found.occurrences[0].start < LOW


def test_who_is_named() -> None:
    found = one(
        "DTSTART:20260320T080000Z",
        "DURATION:PT1H",
        "SUMMARY:On call\\, Primary\\n (Ann)  \x07",
        "ORGANIZER:mailto:Boss@example.test",
        "ATTENDEE:MAILTO:Ann@Example.test",
        "ATTENDEE;CUTYPE=ROOM:mailto:room@example.test",
        "ATTENDEE;PARTSTAT=DECLINED:mailto:bob@example.test",
    )
    assert found.summary == "On call, Primary (Ann)"
    assert found.attendees == ("ann@example.test",)
    assert found.organizer == "boss@example.test"
    assert not found.cancelled
    assert one("DTSTART:20260320T080000Z", "DURATION:PT1H", "STATUS:CANCELLED").cancelled


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (("DTSTART;TZID=Nowhere/Land:20260320T090000", "DURATION:PT1H"), "“Nowhere/Land”"),
        (("DTSTART:20260320T080000Z", "DTEND:20260319T080000Z"), "does not end after"),
        (("DTSTART:20260320T080000Z",), "does not end after"),
        (("DTSTART:20260320T080000Z", "DURATION:-PT1H"), "does not end after"),
        (("DTEND:20260320T080000Z",), "no start"),
        (("DTSTART:nonsense", "DURATION:PT1H"), "cannot be understood"),
        (("DTSTART:00010101T000000Z", "DURATION:PT1H", "RRULE:FREQ=YEARLY"), "too far away"),
        (("DTSTART:19690101T000000Z", "DURATION:PT1H", "RRULE:FREQ=YEARLY"), "before 1970"),
        (("DTSTART:20260320T080000Z", "DURATION:PT1S", "RRULE:FREQ=SECONDLY"), "every second"),
        (("DTSTART:20260320T080000Z", "DURATION:PT1H", "RRULE:FREQ=HOURLY"), "more than 500 times"),
        (("DTSTART:20260320T080000Z", "DURATION:PT1H", "RRULE:FREQ=NEVER"), "understood"),
        (
            (
                "DTSTART:20260320T080000Z",
                "DURATION:PT1H",
                "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
            ),
            "not supported",
        ),
        (
            ("DTSTART:20260320T080000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"),
            "not supported",
        ),
        (
            ("DTSTART:20260320T080000Z", "DURATION:PT1H", "RDATE:" + "20260321T080000Z," * 600),
            "understood",
        ),
        (
            (
                "DTSTART:20260320T080000Z",
                "DURATION:PT1H",
                "RDATE:" + ",".join(["20260321T080000Z"] * 600),
            ),
            "more than 500 single dates",
        ),
        (
            (
                "DTSTART:20260320T080000Z",
                "DURATION:PT1H",
                "RECURRENCE-ID;RANGE=THISANDFUTURE:20260320T080000Z",
            ),
            "RANGE",
        ),
    ],
)
def test_an_event_that_cannot_be_used_is_told_alone(lines: tuple[str, ...], sentence: str) -> None:
    assert sentence in said(calendar(event(*lines)))
    good = event("DTSTART:20260320T080000Z", "DURATION:PT1H", uid="good")
    reading = read(calendar(event(*lines), good))
    assert len(reading.occurrences) == len(reading.problems) == 1


def test_an_event_without_a_uid_cannot_be_known_again() -> None:
    text = calendar(event("DTSTART:20260320T080000Z", "DURATION:PT1H").replace("UID:1\r\n", ""))
    assert "no UID" in said(text)


@pytest.mark.parametrize(
    "text",
    [
        "garbage",
        "<html>Please sign in</html>",
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n",
        "BEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\n",
        calendar() + "BEGIN:VCALENDAR\r\n",
        "BEGIN:VCALENDAR\r\n" * 3000,
        "BEGIN:A\r\n" * 50 + "END:A\r\n" * 50,
        calendar(*[event("DTSTART:20260320T080000Z")] * 2001),
        "x" * 1_000_001,
    ],
)
def test_what_is_no_calendar_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(text)
    assert list(caught.value.errors) == ["text"]


@pytest.mark.parametrize("rule", ["FREQ=DAILY", "FREQ=WEEKLY", "FREQ=YEARLY"])
def test_many_rules_are_refused_before_they_cost_much(rule: str) -> None:
    lines = ("DTSTART:19700102T080000Z", "DURATION:PT1H", f"RRULE:{rule}")
    text = calendar(*[event(*lines, uid=str(number)) for number in range(1900)])
    began = time.process_time()
    with pytest.raises(InvalidInput):
        read(text)
    assert time.process_time() - began < 10


_DAILY = ("DTSTART:20260301T080000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY")


_UTC = ("DTSTART:20260320T080000Z", "DURATION:PT8H")
_WEEKLY = ("DTSTART;TZID=Europe/Berlin:20260316T090000", "DURATION:PT8H")


def test_several_shifts_with_one_uid_are_all_there() -> None:
    shifts = [event(f"DTSTART:202603{day}T080000Z", "DURATION:PT8H") for day in (20, 21, 22)]
    reading = read(calendar(*shifts))
    assert starts(reading) == ["03-20T08:00", "03-21T08:00", "03-22T08:00"]
    assert len({each.key for each in reading.occurrences}) == 3
    again = read(calendar(*reversed(shifts)))
    assert again.occurrences == reading.occurrences


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (event(*_UTC, "SEQUENCE:1"), "newer version"),
        (event(*_UTC), "listed twice"),
    ],
)
def test_another_version_of_an_event_is_a_problem(other: str, sentence: str) -> None:
    reading = read(calendar(event(*_UTC), other))
    assert len(reading.occurrences) == 1
    assert [sentence in each.sentence for each in reading.problems] == [True]


def test_a_change_of_one_of_several_events_is_a_problem() -> None:
    change = event("RECURRENCE-ID:20260320T080000Z", "DTSTART:20260325T080000Z", "DURATION:PT1H")
    reading = read(calendar(event(*_UTC), event(*_WEEKLY), change))
    assert len(reading.occurrences) == 2
    assert ["Several events" in each.sentence for each in reading.problems] == [True]


def test_a_changed_occurrence_that_is_also_excluded_is_a_problem() -> None:
    rule = (*_WEEKLY, "RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE:20260323T080000Z")
    change = event("RECURRENCE-ID:20260323T080000Z", "DTSTART:20260325T080000Z", "DURATION:PT1H")
    reading = read(calendar(event(*rule), change))
    assert ["EXDATE" in each.sentence for each in reading.problems] == [True, True]


@pytest.mark.parametrize(
    ("start", "until"),
    [
        ("DTSTART;TZID=Europe/Berlin:20260316T090000", "20260330"),
        ("DTSTART;TZID=Europe/Berlin:20260316T090000", "20260330T090000"),
        ("DTSTART;TZID=Europe/Berlin:20260316T090000", "20260330T070000Z"),
        ("DTSTART:20260316T080000Z", "20260330"),
        ("DTSTART:20260316T090000", "20260330"),
        ("DTSTART:20260316T090000", "20260330T070000Z"),
        ("DTSTART;VALUE=DATE:20260316", "20260330"),
        ("DTSTART;VALUE=DATE:20260316", "20260330T000000"),
        ("DTSTART;VALUE=DATE:20260316", "20260329T220000Z"),
    ],
)
def test_the_last_time_until_which_an_event_repeats_is_included(start: str, until: str) -> None:
    duration = () if "VALUE=DATE" in start else ("DURATION:PT8H",)
    reading = read(calendar(event(start, *duration, f"RRULE:FREQ=WEEKLY;UNTIL={until}")))
    assert len(reading.occurrences) == 3


@pytest.mark.parametrize(
    ("zone", "hour"),
    [
        ("Tokyo Standard Time", 0),
        ("/vendor.example/20240101/Asia/Tokyo", 0),
        ("Europe/Berlin", 8),
        ("W. Europe Standard Time", 8),
    ],
)
def test_zones_of_calendars_have_several_kinds_of_names(zone: str, hour: int) -> None:
    local = ("DTSTART:20260320T090000", "DURATION:PT1H")
    assert one(*local, head=(f"X-WR-TIMEZONE:{zone}",)).start.hour == hour
    named = (f"DTSTART;TZID={zone}:20260320T090000", "DURATION:PT1H")
    assert one(*named).start.hour == hour


def test_an_unknown_zone_costs_only_what_needs_it() -> None:
    head = ("X-WR-TIMEZONE:Mars/Olympus",)
    good = [event(*_UTC, uid="utc"), event(*_WEEKLY, "RRULE:FREQ=WEEKLY;COUNT=2", uid="zone")]
    needing = [
        event("DTSTART:20260320T080000", "DURATION:PT8H", uid="local"),
        event("DTSTART;VALUE=DATE:20260320", uid="day"),
        event(*_UTC, "RRULE:FREQ=WEEKLY;COUNT=2", uid="repeats"),
    ]
    reading = read(calendar(*good, *needing, head=head))
    assert len(reading.occurrences) == 3
    assert ["Mars/Olympus" in each.sentence for each in reading.problems] == [True] * 3


def test_one_text_may_have_several_calendars() -> None:
    tokyo = calendar(event("DTSTART:20260320T090000", "DURATION:PT1H", uid="t"), head=_TOKYO)
    reading = read(tokyo + calendar(event("DTSTART:20260320T090000", "DURATION:PT1H", uid="b")))
    assert starts(reading) == ["03-20T00:00", "03-20T08:00"]


_TOKYO = ("X-WR-TIMEZONE:Asia/Tokyo",)
_OFFICE = (
    "BEGIN:VTIMEZONE\r\nTZID:Office\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
    "TZOFFSETFROM:+0{0}00\r\nTZOFFSETTO:+0{0}00\r\n{1}END:STANDARD\r\nBEGIN:DAYLIGHT\r\n"
    "DTSTART:19700601T000000\r\nTZOFFSETFROM:+0{0}00\r\nTZOFFSETTO:+0{0}00\r\n{1}END:DAYLIGHT"
    "\r\nEND:VTIMEZONE"
)
_AT_THE_OFFICE = event("DTSTART;TZID=Office:20260320T090000", "DURATION:PT1H")


def test_a_definition_of_a_zone_counts_in_its_own_calendar_only() -> None:
    """The library would keep it for the next calendar, even of another tenant."""
    for hours in (2, 3):
        reading = read(calendar(_OFFICE.format(hours, ""), _AT_THE_OFFICE))
        assert starts(reading) == [f"03-20T0{9 - hours}:00"]
    assert "“Office”" in said(calendar(_AT_THE_OFFICE))


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY", "FREQ=HOURLY"])
def test_a_definition_of_a_zone_that_is_costly_is_skipped(rule: str) -> None:
    began = time.process_time()
    assert "“Office”" in said(calendar(_OFFICE.format(2, f"RRULE:{rule}\r\n"), _AT_THE_OFFICE))
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("END:VEVENT\r\nBEGIN:VEVENT", "END:VEVNT\r\nBEGIN:VEVENT"),
        ("END:VEVENT\r\nBEGIN:VEVENT", "END:VEVENT\r\nBEGIN:VEVNT"),
        ("END:VEVENT\r\nBEGIN:VEVENT", "BEGIN:VEVENT"),
        ("END:VEVENT\r\nBEGIN:VEVENT", "END:VEVENT"),
        ("END:VEVENT\r\nEND:VCALENDAR", "END:VCALENDAR"),
        ("BEGIN:VCALENDAR", "this is a calendar\r\nBEGIN:VCALENDAR"),
    ],
)
def test_an_event_without_its_first_or_last_line_is_still_read(old: str, new: str) -> None:
    text = calendar(event(*_UTC, uid="a"), event(*_WEEKLY, uid="b"))
    assert old in text
    assert read(text.replace(old, new)) == read(text)


def test_what_nobody_reads_is_not_copied_for_each_occurrence() -> None:
    text = calendar(event(*_DAILY, *[f"X-P{number}:1" for number in range(20_000)]))
    began = time.process_time()
    assert len(read(text).occurrences) == 366
    assert time.process_time() - began < 15


@pytest.mark.parametrize("line", ["ATTENDEE:mailto:a@b.example", "SUMMARY:again"])
def test_an_event_says_nothing_all_too_often(line: str) -> None:
    assert "more than 200" in said(calendar(event(*_DAILY, *[line] * 20_000)))


def test_an_event_that_began_long_ago_and_lasts_for_ever_is_counted() -> None:
    """Each of its occurrences would reach into the year that is imported."""
    lines = ("DTSTART:19700102T080000Z", "DTEND:21900102T080000Z", "RRULE:FREQ=DAILY")
    assert "more than 500 times" in said(calendar(event(*lines)))


def test_plain_line_ends_and_a_mark_of_the_byte_order_are_understood() -> None:
    text = calendar(event("DTSTART:20260320T080000Z", "DURATION:PT1H"))
    assert len(read("\ufeff" + text.replace("\r\n", "\n")).occurrences) == 1
    assert read(calendar()).occurrences == []
