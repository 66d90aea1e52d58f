"""The calendar: who is on call in a week or a month."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from incidentrelay.domain.calendar_grid import (
    FIRST_DAY,
    LAST_DAY,
    CalendarView,
    day_at,
    days_of,
    step_view,
)
from incidentrelay.domain.local_time import zone_names
from incidentrelay.domain.permissions import Permission
from incidentrelay.domain.text import is_line
from incidentrelay.services.oncall import calendar_queries
from incidentrelay.services.oncall.calendar_queries import CalendarFilter, CalendarPage
from incidentrelay.web.console.calendar import grid
from incidentrelay.web.console.toolkit.team_choice import team_names
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.resources.oncall.calendar import Calendar

_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class CalendarRequest:
    """The parameters of the URL, with defaults for missing and wrong values.

    ``zone`` is a name that exists; ``zone_given`` is "" if it is the reader's own.
    """

    view: CalendarView
    day: date
    today: date
    team: str
    rotation: str
    zone: str
    zone_given: str


@dataclass(frozen=True, slots=True)
class CalendarLink:
    label: str
    url: str
    current: bool = False


@console_view(context=Calendar, permission=Permission.VIEW, template="calendar/index.jinja2")
def show(_context: Calendar, request: Any) -> dict[str, Any]:
    asked = _asked(request)
    days = days_of(asked.view, asked.day, asked.zone)
    wanted = CalendarFilter(days[0].start, days[-1].end, asked.team, asked.rotation)
    found = calendar_queries.load_calendar(request.db, request.identity, wanted)
    picture = grid.CalendarPicture(days, asked.zone, found, asked.view, asked.day, request.now)
    return {
        "asked": asked,
        "zone": asked.zone,
        "cut": found.cut,
        "filtered": bool(asked.team or asked.rotation),
        **grid.view_picture(picture),
        **_links(request, asked),
        **_choices(request, asked, found),
    }


def _asked(request: Any) -> CalendarRequest:
    given: Mapping[str, str] = request.GET
    own = request.identity.zone if request.identity.zone in zone_names() else "UTC"
    zone = given.get("zone", "")
    zone_given = zone if zone in zone_names() and zone != own else ""
    today = day_at(request.now, zone_given or own)
    view = given.get("view", "")
    return CalendarRequest(
        view=CalendarView(view) if view in set(CalendarView) else CalendarView.WEEK,
        day=_date(given.get("date", ""), today),
        today=today,
        team=_name(given, "team"),
        rotation=_name(given, "rotation"),
        zone=zone_given or own,
        zone_given=zone_given,
    )


def _date(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return today
    return day if FIRST_DAY <= day <= LAST_DAY else today


def _name(given: Mapping[str, str], name: str) -> str:
    value = given.get(name, "")
    return value if is_line(value) and len(value) <= _LONGEST_NAME else ""


def _links(request: Any, asked: CalendarRequest) -> dict[str, Any]:
    """Links to other views and times; each keeps the filters."""

    def link(label: str, **changes: Any) -> CalendarLink:
        view = changes.get("view", asked.view)
        return CalendarLink(label, _address(request, asked, **changes), view is asked.view)

    noun = str(asked.view)
    feed = urlencode({"feed": asked.rotation or asked.team})
    return {
        "views": [link(view.capitalize(), view=view) for view in CalendarView],
        "before": link(f"Previous {noun}", date=step_view(asked.view, asked.day, -1)),
        "after": link(f"Next {noun}", date=step_view(asked.view, asked.day, 1)),
        "now_link": link("Today", date=asked.today),
        "all_link": link("Show all rotations", team="", rotation=""),
        "subscribe": f"{request.script_name}/me?{feed}#feeds",
    }


def _address(request: Any, asked: CalendarRequest, **changes: Any) -> str:
    values = {
        "view": asked.view,
        "date": asked.day,
        "team": asked.team,
        "rotation": asked.rotation,
        "zone": asked.zone_given,
    } | changes
    return f"{request.path}?{urlencode({name: value for name, value in values.items() if value})}"


def _choices(request: Any, asked: CalendarRequest, found: CalendarPage) -> dict[str, Any]:
    """The (value, label) of each filter; rotations are grouped by team."""
    names = team_names(rotation.team for rotation in found.choices)
    teams, rotations = [], []
    for team_id, group in groupby(found.choices, key=lambda rotation: rotation.team_id):
        own = list(group)
        slug = own[0].team.slug
        teams.append((slug, names[team_id]))
        if asked.team in {"", slug}:
            choices = [(f"{slug}/{rotation.slug}", rotation.name) for rotation in own]
            rotations.append((names[team_id], choices))
    return {
        "teams": teams,
        "rotations": rotations,
        "zones": _zones(request.identity.zone, asked, found.zones),
    }


def _zones(own: str, asked: CalendarRequest, used: Iterable[str]) -> list[tuple[str, str]]:
    others = sorted({*used, asked.zone, "UTC"} - {own})
    return [("", f"{own} (yours)"), *((zone, zone) for zone in others)]
