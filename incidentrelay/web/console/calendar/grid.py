"""The calendar in three forms: a picture, a list of days, and a table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from incidentrelay.domain.calendar_grid import (
    CalendarView,
    GridBlock,
    GridDay,
    GridSegment,
    grid_segments,
    grid_weeks,
    hue_of,
    slot_at,
)
from incidentrelay.services.oncall.calendar_queries import CalendarPage, CalendarRow
from incidentrelay.web.console.calendar.parts import (
    AgendaDay,
    AgendaRow,
    AgendaShift,
    CalendarLane,
    CalendarLine,
    CalendarPerson,
    CalendarWeek,
    DayHead,
    LaneSegment,
    TeamLanes,
)
from incidentrelay.web.console.toolkit.team_choice import team_names

_UNKNOWN = "A deleted user"


@dataclass(frozen=True, slots=True)
class CalendarPicture:
    """The content of the page. ``day`` is the requested one.

    ``days`` begin and end at midnight in ``zone``.
    """

    days: Sequence[GridDay]
    zone: str
    page: CalendarPage
    view: CalendarView
    day: date
    now: datetime


def title(view: CalendarView, days: Sequence[GridDay], day: date) -> str:
    """``November 2026``, ``23 – 29 November 2026``; two months or years only if it spans them."""
    if view is CalendarView.MONTH:
        return f"{day:%B %Y}"
    first, last = days[0].date, days[-1].date
    if first.year != last.year:
        return f"{first.day} {first:%B %Y} – {last.day} {last:%B %Y}"
    start = f"{first.day}" if first.month == last.month else f"{first.day} {first:%B}"
    return f"{start} – {last.day} {last:%B %Y}"


def view_picture(picture: CalendarPicture) -> dict[str, Any]:
    """All three forms, and the people in them."""
    return {
        "title": title(picture.view, picture.days, picture.day),
        "weeks": weeks_of(picture),
        "agenda": agenda(picture),
        "lines": lines(picture),
        "people": legend(picture.page),
    }


def weeks_of(picture: CalendarPicture) -> list[CalendarWeek]:
    return [
        CalendarWeek(
            number=days[0].date.isocalendar().week,
            days=[_head(picture, day) for day in days],
            teams=[
                TeamLanes(name, [_lane(picture, row, days) for row in rows])
                for name, rows in _by_team(picture.page.rows)
            ],
            now=slot_at(picture.now, days) if days[0].start <= picture.now < days[-1].end else None,
        )
        for days in grid_weeks(picture.days)
    ]


def agenda(picture: CalendarPicture) -> list[AgendaDay]:
    """Day by day, without days of other months and days that a zone skips."""
    names = team_names(row.rotation.team for row in picture.page.rows)
    return [
        AgendaDay(
            head,
            [
                AgendaRow(
                    row.rotation.id,
                    names[row.rotation.team_id],
                    row.rotation.name,
                    _day_shifts(picture, row, day),
                )
                for row in picture.page.rows
            ],
        )
        for day in picture.days
        if not (head := _head(picture, day)).outside and day.length
    ]


def lines(picture: CalendarPicture) -> list[CalendarLine]:
    names = team_names(row.rotation.team for row in picture.page.rows)
    return [
        CalendarLine(
            rotation_id=row.rotation.id,
            team=names[row.rotation.team_id],
            rotation=row.rotation.name,
            person=_person(picture.page, block),
            since=block.start,
            until=block.end,
            begins=block.begins,
            ends=block.ends,
            override=block.override_id is not None,
            now=block.start <= picture.now < block.end,
        )
        for row in picture.page.rows
        for block in row.blocks
    ]


def legend(page: CalendarPage) -> list[CalendarPerson]:
    """Everybody on the page, by name."""
    people = [_named(name, user_id) for user_id, name in page.people.items()]
    return sorted(people, key=lambda person: (person.name.casefold(), person.hue))


def initials(name: str) -> str:
    """The first letters of the first and the last word: ``AL``."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def clocks(day: GridDay) -> str:
    """How the clocks change on that day, in words; "" if it has 24 hours."""
    if not day.length:
        return "This day does not exist here"
    if not day.change:
        return ""
    way = "forward" if day.change < timedelta(0) else "back"
    hours, rest = divmod(day.length, timedelta(hours=1))
    return f"Clocks go {way}, {hours} h" + (f" {rest // timedelta(minutes=1)} min" if rest else "")


def _head(picture: CalendarPicture, day: GridDay) -> DayHead:
    return DayHead(
        date=day.date,
        today=day.start <= picture.now < day.end,
        weekend=day.weekend,
        outside=picture.view is CalendarView.MONTH and day.date.month != picture.day.month,
        change=clocks(day),
    )


def _lane(picture: CalendarPicture, row: CalendarRow, days: Sequence[GridDay]) -> CalendarLane:
    segments = [_segment(picture, each) for each in grid_segments(row.blocks, days) if each.slots]
    return CalendarLane(row.rotation.id, row.rotation.name, segments)


def _segment(picture: CalendarPicture, segment: GridSegment) -> LaneSegment:
    block = segment.block
    return LaneSegment(
        slots=segment.slots,
        person=_person(picture.page, block),
        override=block.override_id is not None,
        opens=segment.opens,
        closes=segment.closes,
        since=block.start,
        until=block.end,
    )


def _day_shifts(picture: CalendarPicture, row: CalendarRow, day: GridDay) -> list[AgendaShift]:
    return [
        AgendaShift(
            _person(picture.page, part.block),
            part.block.override_id is not None,
            _when(picture, part, day),
        )
        for part in grid_segments(row.blocks, [day])
    ]


def _when(picture: CalendarPicture, part: GridSegment, day: GridDay) -> str:
    start, end = (f"{at.astimezone(ZoneInfo(picture.zone)):%H:%M}" for at in (part.start, part.end))
    if part.start == day.start:
        return "all day" if part.end == day.end else f"until {end}"
    return f"from {start}" if part.end == day.end else f"{start} – {end}"


def _person(page: CalendarPage, block: GridBlock) -> CalendarPerson | None:
    if block.user_id is None:
        return None
    return _named(page.people.get(block.user_id, _UNKNOWN), block.user_id)


def _named(name: str, user_id: int) -> CalendarPerson:
    return CalendarPerson(name, initials(name), hue_of(user_id))


def _by_team(rows: Sequence[CalendarRow]) -> Iterator[tuple[str, list[CalendarRow]]]:
    names = team_names(row.rotation.team for row in rows)
    for team_id, group in groupby(rows, key=lambda row: row.rotation.team_id):
        yield names[team_id], list(group)
