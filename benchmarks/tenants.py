"""Many groups, teams, rotations and routes, as in a large organisation."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from incidentrelay.domain.actors import SYSTEM
from incidentrelay.domain.enums import GroupRole, TeamRole
from incidentrelay.models import Group, Team
from incidentrelay.runtime import Runtime
from incidentrelay.services.intake import routes
from incidentrelay.services.oncall import rotations
from incidentrelay.services.tenancy import group_members, groups, team_members, teams

GROUPS, TEAMS, ROTATIONS = 8, 5, 5
# Anna is the ordinary user of the benchmark: a responder in the teams of the first group.
_EVERYWHERE, _MEMBER = ("admin", "ben", "carla"), "anna"
_NIGHTS = [{"weekday": day, "opens": "20:00", "closes": "08:00"} for day in range(7)]


def create_tenants(runtime: Runtime, session: Session, now: datetime) -> list[str]:
    """GROUPS × TEAMS × ROTATIONS rotations, each with a route; returns the routes' tokens."""
    tokens = []
    for number in range(GROUPS):
        slug = f"group-{number}"
        group = groups.create(session, None, {"slug": slug, "name": slug}, actor=SYSTEM, now=now)
        people = [*_EVERYWHERE, _MEMBER] if number == 0 else list(_EVERYWHERE)
        for username in people:
            member = {"username": username, "role": GroupRole.RESPONDER}
            group_members.create(session, group, member, actor=SYSTEM, now=now)
        for index in range(TEAMS):
            team = _team(session, group, f"team-{number}-{index}", people, now)
            tokens += [
                _rotation(runtime, session, team, f"{team.slug}-{place}", place, now)
                for place in range(ROTATIONS)
            ]
    return tokens


def _team(session: Session, group: Group, slug: str, people: list[str], now: datetime) -> Team:
    data = {"slug": slug, "name": slug}
    team = teams.create(session, group, data, actor=SYSTEM, now=now)
    for username in people:
        member = {"username": username, "role": TeamRole.RESPONDER}
        team_members.create(session, team, member, actor=SYSTEM, now=now)
    return team


def _rotation(
    runtime: Runtime, session: Session, team: Team, name: str, place: int, now: datetime
) -> str:
    """A rotation, with a second layer for the nights in some, and its route."""
    days: dict[str, Any] = {"name": "All day", "members": ["ben", "carla"]}
    nights = {"name": "Nights", "members": ["carla", "admin"], "windows": _NIGHTS}
    layers = [days, nights] if place % 2 else [days]
    data = {"name": name, "layers": layers}
    rotations.create(session, team, data, actor=SYSTEM, now=now)
    route = {"name": name, "source": "alertmanager", "rotation": name}
    _, token = routes.create(
        session, team, route, actor=SYSTEM, now=now, integrations=runtime.integrations
    )
    return token
