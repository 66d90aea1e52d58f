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
from incidentrelay.models import Rotation
from incidentrelay.services.oncall import calendar_queries
from incidentrelay.services.oncall.calendar_queries import CalendarFilter, CalendarPage
from incidentrelay.web.console.calendar import grid as picture
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.resources.oncall.calendar import Calendar

_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address says; whatever it does not say, or says wrong, has its usual value.

    ``zone`` is a name that exists; ``zone_given`` is "" where it is the reader's own.
    """

    view: CalendarView
    day: date
    today: date
    team: str
    rotation: str
    zone: str
    zone_given: str


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    name: str


@dataclass(frozen=True, slots=True)
class Choices:
    """Some choices under a heading."""

    name: str
    choices: tuple[Choice, ...]


@console_view(context=Calendar, permission=Permission.VIEW, template="calendar/index.jinja2")
def show(_context: Calendar, request: Any) -> dict[str, Any]:
    asked = _asked(request)
    days = days_of(asked.view, asked.day, asked.zone)
    wanted = CalendarFilter(days[0].start, days[-1].end, asked.team, asked.rotation)
    found = calendar_queries.load_calendar(request.db, request.identity, wanted)
    shown = picture.Shown(days, asked.zone, found, asked.view, asked.day, request.now)
    return {
        "asked": asked,
        "title": picture.title(asked.view, days, asked.day),
        "zone": asked.zone,
        "weeks": picture.weeks_of(shown),
        "agenda": picture.agenda(shown),
        "lines": picture.lines(shown),
        "people": picture.legend(found),
        "cut": found.cut,
        "filtered": bool(asked.team or asked.rotation),
        **_ways(request, asked),
        **_choices(request, asked, found),
    }


def _asked(request: Any) -> Asked:
    given: Mapping[str, str] = request.GET
    own = request.identity.zone if request.identity.zone in zone_names() else "UTC"
    zone = given.get("zone", "")
    zone_given = zone if zone in zone_names() and zone != own else ""
    today = day_at(request.now, zone_given or own)
    view = given.get("view", "")
    return Asked(
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


def _ways(request: Any, asked: Asked) -> dict[str, Any]:
    """Where one can go from here; every address holds all that was asked for."""

    def way(label: str, **changes: Any) -> Link:
        view = changes.get("view", asked.view)
        return Link(label, _address(request, asked, **changes), view is asked.view)

    noun = str(asked.view)
    feed = urlencode({"feed": asked.rotation or asked.team})
    return {
        "views": [way(view.capitalize(), view=view) for view in CalendarView],
        "before": way(f"Previous {noun}", date=step_view(asked.view, asked.day, -1)),
        "after": way(f"Next {noun}", date=step_view(asked.view, asked.day, 1)),
        "now_link": way("Today", date=asked.today),
        "all_link": way("Show all rotations", team="", rotation=""),
        "subscribe": f"{request.script_name}/me?{feed}#feeds",
    }


def _address(request: Any, asked: Asked, **changes: Any) -> str:
    values = {
        "view": asked.view,
        "date": asked.day,
        "team": asked.team,
        "rotation": asked.rotation,
        "zone": asked.zone_given,
    } | changes
    return f"{request.path}?{urlencode({name: value for name, value in values.items() if value})}"


def _choices(request: Any, asked: Asked, found: CalendarPage) -> dict[str, Any]:
    names = picture.team_names(rotation.team for rotation in found.choices)
    teams, rotations = [], []
    for team_id, group in groupby(found.choices, key=lambda rotation: rotation.team_id):
        own = list(group)
        slug = own[0].team.slug
        teams.append(Choice(slug, names[team_id]))
        if asked.team in {"", slug}:
            rotations.append(Choices(names[team_id], tuple(_choice(rotation) for rotation in own)))
    return {
        "teams": teams,
        "rotations": rotations,
        "zones": _zones(request.identity.zone, asked, found.zones),
    }


def _choice(rotation: Rotation) -> Choice:
    return Choice(f"{rotation.team.slug}/{rotation.slug}", rotation.name)


def _zones(own: str, asked: Asked, used: Iterable[str]) -> list[Choice]:
    others = sorted({*used, asked.zone, "UTC"} - {own})
    return [Choice("", f"{own} (yours)"), *(Choice(zone, zone) for zone in others)]
