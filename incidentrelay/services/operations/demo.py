"""Creates a small demo installation: people, a team on call, and routes."""

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.channels.kinds import INBOX
from incidentrelay.domain.actors import SYSTEM
from incidentrelay.domain.enums import GroupRole, TeamRole
from incidentrelay.domain.permissions import Scope
from incidentrelay.models import Group, Team, User
from incidentrelay.services.access import tokens
from incidentrelay.services.channels import channels
from incidentrelay.services.channels.config import ChannelRegistry
from incidentrelay.services.common.secret_box import SecretBox
from incidentrelay.services.intake import routes as route_rows
from incidentrelay.services.intake.routes import IntegrationNames
from incidentrelay.services.oncall import rotations
from incidentrelay.services.tenancy import group_members, groups, team_members, teams, users

_COLLEAGUES = {"anna": "Anna Larsen", "ben": "Ben Okafor", "carla": "Carla Rossi"}
_SOURCES = {
    "alertmanager": "Prometheus Alertmanager",
    "zabbix": "Zabbix",
    "webhook": "Generic webhook",
}


@dataclass(frozen=True, slots=True)
class DemoRoute:
    """One route; ``token`` is in plain text."""

    name: str
    source: str
    group: str
    team: str
    token: str


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The credentials of the demo. They cannot be read again later."""

    username: str
    password: str
    api_token: str
    routes: tuple[DemoRoute, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "admin": {"username": self.username, "password": self.password},
            "api_token": self.api_token,
            "routes": [asdict(route) for route in self.routes],
        }


def create_demo(
    session: Session,
    *,
    now: datetime,
    registry: ChannelRegistry,
    vault: SecretBox,
    integrations: IntegrationNames,
    admin_password: str | None = None,
) -> DemoResult | None:
    """Fill an empty installation; returns None if it already has users.

    The admin is on call first, so the person trying it is paged. Only the admin has a
    password: ``admin_password`` or a random one.
    """
    if session.scalar(select(User.id).limit(1)) is not None:
        return None
    password = admin_password or secrets.token_urlsafe(12)
    admin = _admin(session, password, now)
    team = _team(session, now)
    _people(session, team, now)
    _on_call(session, team, now, registry, vault)
    _, api_token = tokens.create(
        session, admin, {"name": "Demo", "scopes": list(Scope)}, actor=SYSTEM, now=now
    )
    return DemoResult(
        username=admin.username,
        password=password,
        api_token=api_token,
        routes=_routes(session, team, now, integrations),
    )


def _admin(session: Session, password: str, now: datetime) -> User:
    data = {
        "username": "admin",
        "display_name": "Admin",
        "email": "admin@example.com",
        "is_admin": True,
        "password": password,
    }
    return users.create(session, None, data, actor=SYSTEM, now=now)


def _team(session: Session, now: datetime) -> Team:
    group = groups.create(session, None, {"slug": "demo", "name": "Demo"}, actor=SYSTEM, now=now)
    data = {"slug": "infrastructure", "name": "Infrastructure"}
    return teams.create(session, group, data, actor=SYSTEM, now=now)


def _people(session: Session, team: Team, now: datetime) -> None:
    group = session.get_one(Group, team.group_id)
    owner = {"username": "admin", "role": GroupRole.OWNER}
    group_members.create(session, group, owner, actor=SYSTEM, now=now)
    for username, display_name in _COLLEAGUES.items():
        person = {
            "username": username,
            "display_name": display_name,
            "email": f"{username}@example.com",
        }
        users.create(session, None, person, actor=SYSTEM, now=now)
        member = {"username": username, "role": GroupRole.RESPONDER}
        group_members.create(session, group, member, actor=SYSTEM, now=now)
    for username in ("admin", *_COLLEAGUES):
        role = TeamRole.MANAGER if username == "admin" else TeamRole.RESPONDER
        data = {"username": username, "role": role}
        team_members.create(session, team, data, actor=SYSTEM, now=now)
    teams.update(session, team, {"fallback_user": "admin"}, actor=SYSTEM, now=now)


def _on_call(
    session: Session, team: Team, now: datetime, registry: ChannelRegistry, vault: SecretBox
) -> None:
    rotation = {
        "slug": "primary",
        "name": "Primary",
        "kind": "weekly",
        "members": ["admin", *_COLLEAGUES],
    }
    rotations.create(session, team, rotation, actor=SYSTEM, now=now)
    inbox = {"slug": "team-inbox", "name": "Team inbox", "kind": INBOX}
    channels.create(session, team, inbox, actor=SYSTEM, now=now, registry=registry, vault=vault)


def _routes(
    session: Session, team: Team, now: datetime, integrations: IntegrationNames
) -> tuple[DemoRoute, ...]:
    group = session.get_one(Group, team.group_id)
    routes = []
    for source, name in _SOURCES.items():
        data = {
            "slug": source,
            "name": name,
            "source": source,
            "rotation": "primary",
            "channels": ["team-inbox"],
        }
        route, token = route_rows.create(
            session, team, data, actor=SYSTEM, now=now, integrations=integrations
        )
        routes.append(DemoRoute(route.slug, source, group.slug, team.slug, token))
    return tuple(routes)
