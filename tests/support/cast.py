"""The cast: the same people in every test of access.

::

    group sre                         group apps
      gail   owner                      otto   viewer
      eddy   editor                     team web
      rex    responder                    otto   manager
      vera   viewer
      mona   viewer
      tara   viewer
      team core: mona manager, tara responder
      team edge

``root`` is site admin and a member of nothing. Each team has one of everything.
"""

from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from incidentrelay import models
from incidentrelay.domain.enums import GroupRole, TeamRole
from incidentrelay.domain.permissions import Scope
from incidentrelay.services.access.secrets import TokenKind, new_token
from tests.support import factories

PEOPLE = ("root", "gail", "eddy", "rex", "vera", "mona", "tara", "otto")
_SRE = {
    "gail": GroupRole.OWNER,
    "eddy": GroupRole.EDITOR,
    "rex": GroupRole.RESPONDER,
    "vera": GroupRole.VIEWER,
    "mona": GroupRole.VIEWER,
    "tara": GroupRole.VIEWER,
}


@dataclass
class TeamSet:
    """A team and its one of everything. ``token`` is the route's plaintext."""

    team: models.Team
    rotation: models.Rotation
    override: models.RotationOverride
    channel: models.Channel
    policy: models.Policy
    route: models.Route
    silence: models.Silence
    alert: models.Alert
    token: str


@dataclass
class Cast:
    """``cookies``: person → session cookie. ``tokens``: scope → gail's token of that scope."""

    users: dict[str, models.User]
    groups: dict[str, models.Group]
    teams: dict[str, TeamSet]
    cookies: dict[str, str]
    tokens: dict[str, str] = field(default_factory=dict)


def build(session: Session) -> Cast:
    """Everybody, and two groups with three teams."""
    users = {name: factories.user(session, name, is_admin=name == "root") for name in PEOPLE}
    sre, apps = factories.group(session, "sre"), factories.group(session, "apps")
    for name, role in _SRE.items():
        factories.group_member(session, sre, users[name], role)
    factories.group_member(session, apps, users["otto"], GroupRole.VIEWER)
    teams = {
        "core": _team(session, sre, "core", users["rex"]),
        "edge": _team(session, sre, "edge", users["rex"]),
        "web": _team(session, apps, "web", users["otto"]),
    }
    core, web = teams["core"].team, teams["web"].team
    factories.team_member(session, core, users["mona"], TeamRole.MANAGER)
    factories.team_member(session, core, users["tara"], TeamRole.RESPONDER)
    factories.team_member(session, web, users["otto"], TeamRole.MANAGER)
    cast = Cast(users, {"sre": sre, "apps": apps}, teams, {})
    for name, person in users.items():
        cast.cookies[name] = new_token(TokenKind.SESSION)
        factories.web_session(session, person, cast.cookies[name])
        factories.contact(session, person)
    for scope in Scope:
        cast.tokens[scope] = new_token(TokenKind.USER)
        factories.api_token(session, users["gail"], cast.tokens[scope], (scope,))
    return cast


def _team(session: Session, group: models.Group, slug: str, on_call: models.User) -> TeamSet:
    team = factories.team(session, group, slug)
    rotation = factories.rotation(session, team, "primary", (on_call,))
    token = new_token(TokenKind.ROUTE)
    route = factories.route(session, team, "incoming", token=token, rotation_id=rotation.id)
    alert = factories.alert(session, team, route)
    factories.signal(session, alert)
    return TeamSet(
        team=team,
        rotation=rotation,
        override=factories.override(session, rotation, on_call),
        channel=factories.channel(session, team, "inbox"),
        policy=factories.policy(session, team, "standard"),
        route=route,
        silence=factories.silence(session, team),
        alert=alert,
        token=token,
    )
