"""Every event of a calendar becomes an override or a problem, in any text."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from incidentrelay.ical.reader import CalendarReading, read_calendar
from incidentrelay.models import User
from incidentrelay.services.calendars.import_people import People
from incidentrelay.services.calendars.import_plan import match_people, plan_changes

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
BOB = User(id=1, username="bob", display_name="Bob Stone")

_EXCLUDED_DAY = 16
_EXCLUSION = f"EXDATE:202603{_EXCLUDED_DAY}T080000Z"
_START = st.sampled_from(
    [
        "DTSTART:202603{day}T080000Z",
        "DTSTART:202603{day}T080000",
        "DTSTART;VALUE=DATE:202603{day}",
        "DTSTART;TZID=Europe/Berlin:202603{day}T090000",
        "DTSTART;TZID=W. Europe Standard Time:202603{day}T090000",
        "DTSTART;TZID=/vendor.example/Europe/Berlin:202603{day}T090000",
        "DTSTART;TZID=Office:202603{day}T090000",
        "DTSTART;TZID=Mars/Olympus:202603{day}T090000",
        "DTSTART:on 2026-03-{day}",
        "DTSTART 202603{day}",
    ]
)
_EXTRA = st.sampled_from(
    [
        *("", "SEQUENCE:1", "SEQUENCE:2", "SEQUENCE:x", "STATUS:CONFIRMED", "DURATION:PT8H"),
        *("RRULE:FREQ=WEEKLY;COUNT=3", "RRULE:FREQ=DAILY;UNTIL=20260330", "RRULE:FREQ=SECONDLY"),
        *("RRULE FREQ=DAILY", _EXCLUSION, "EXDATE:", "RDATE:20260401T080000Z"),
        *("RECURRENCE-ID:202603{day}T080000Z", "RECURRENCE-ID;VALUE=DATE:202603{day}"),
    ]
)
_ODD_LINES = st.lists(
    st.sampled_from(
        [
            *("", "garbage", "=;:", 'X-ODD;A="b:c', "END:NOTHING", "\x00", "DESCRIPTION:a\r\nb"),
            *("COMMENT:\u2028BEGIN:VEVENT", "GEO:x", "CREATED:yesterday", "DTSTAMP:soon"),
        ]
    ),
    max_size=2,
)
_ZONES = st.sampled_from(
    ["", "X-WR-TIMEZONE:W. Europe Standard Time", "X-WR-TIMEZONE:Mars/Olympus", "X-WR-TIMEZONE:"]
)


@st.composite
def _event(draw: st.DrawFn, number: int) -> str:
    day = draw(st.integers(11, 27))
    lines = [
        f"UID:{draw(st.sampled_from(['shared', 'other', f'own-{number}']))}",
        f"SUMMARY:{draw(st.sampled_from(['bob', 'nobody']))} event{number}",
        draw(_START),
        *draw(st.lists(_EXTRA, max_size=2)),
        *draw(_ODD_LINES),
    ]
    head, tail = draw(
        st.sampled_from(
            [
                ("BEGIN:VEVENT", "END:VEVENT"),
                ("begin:vevent ", "end:vevent"),
                ("BEGIN:VEVENT", "BEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT"),
                ("BEGIN:VEVENT", "BEGIN:VALARM\r\nEND:VEVENT"),
                ("BEGIN:VEVENT", "END:VALARM\r\nEND:VEVENT"),
            ]
        )
    )
    return "\r\n".join([head, *[line.format(day=day) for line in lines], tail])


@dataclass(frozen=True)
class Case:
    """``excluded`` may have no date left, because an EXDATE removes the only one."""

    text: str
    names: frozenset[str]
    excluded: frozenset[str]


def _may_be_excluded(event: str) -> bool:
    return _EXCLUSION in event and f"202603{_EXCLUDED_DAY}T0" in event.replace(_EXCLUSION, "")


@st.composite
def _calendars(draw: st.DrawFn) -> Case:
    count = draw(st.integers(1, 6))
    events = [draw(_event(number)) for number in range(count)]
    cut = draw(st.integers(0, count))
    parts = []
    for some in (events[:cut], events[cut:]):
        body = [draw(_ZONES), *draw(_ODD_LINES), *some]
        parts.append("\r\n".join(["BEGIN:VCALENDAR", *body, "END:VCALENDAR"]))
    numbered = {f"event{number}": event for number, event in enumerate(events)}
    return Case(
        text="\r\n".join([*draw(_ODD_LINES), *parts, ""]),
        names=frozenset(numbered),
        excluded=frozenset(name for name, event in numbered.items() if _may_be_excluded(event)),
    )


def _read(text: str) -> CalendarReading:
    high = NOW + timedelta(days=366)
    return read_calendar(text, zone="Europe/Berlin", low=NOW, high=high)


def _numbers(summaries: list[str]) -> set[str]:
    return {summary.partition(" ")[2] for summary in summaries}


@given(_calendars())
@settings(max_examples=400, deadline=None)
def test_every_event_becomes_an_override_or_a_problem(case: Case) -> None:
    reading = _read(case.text)
    matched, problems = match_people(People([BOB]), reading, NOW)
    planned = plan_changes(matched, {}, reading, NOW, whole=True)
    told = _numbers([each.summary for each in planned] + [each.summary for each in problems])
    assert case.names - case.excluded <= told <= case.names
    # One key never means two overrides: the second import would lose one of them.
    assert len({each.key for each in planned}) == len(planned)


@given(st.lists(_ODD_LINES, min_size=6, max_size=6))
@settings(max_examples=100, deadline=None)
def test_an_odd_line_costs_nothing_but_itself(odd: list[list[str]]) -> None:
    event = ["UID:1", "DTSTART:20260320T080000Z", "DTEND:20260320T160000Z", "SUMMARY:bob"]
    event += ["RRULE:FREQ=WEEKLY;COUNT=3"]

    def text(places: list[list[str]]) -> str:
        lines = [*places[0], "BEGIN:VCALENDAR", *places[1], "BEGIN:VEVENT", *places[2]]
        lines += [*event[:2], *places[3], *event[2:], "END:VEVENT", *places[4], "END:VCALENDAR"]
        return "\r\n".join([*lines, *places[5]])

    assert _read(text(odd)) == _read(text([[]] * 6))
