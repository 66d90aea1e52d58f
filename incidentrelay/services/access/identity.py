"""The identity behind a credential, loaded with at most two statements."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import String, and_, literal, select, type_coerce, union_all, update
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import GroupRole, TeamRole
from incidentrelay.models import (
    ApiToken,
    Group,
    GroupMember,
    Route,
    Team,
    TeamMember,
    User,
    WebSession,
)
from incidentrelay.services.access.secrets import TokenKind, token_digest, token_kind

Kind = Literal["user", "token", "route"]

_PERSON = (User.id, User.username, User.display_name, User.is_admin, User.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A person in a browser (user), a person's token, or a route's token.

    ``groups`` and ``teams`` map ids to roles; inactive groups do not count, and a
    role in a team counts for members of its group only. ``scopes`` and
    ``bound_group_id`` limit a token. ``seen_at`` is the last recorded use of the session
    or token. ``token_digest`` is that of a route's token.
    """

    kind: Kind
    user_id: int | None = None
    username: str = ""
    display_name: str = ""
    is_admin: bool = False
    zone: str = "UTC"
    groups: Mapping[int, GroupRole] = field(default_factory=dict)
    teams: Mapping[int, TeamRole] = field(default_factory=dict)
    scopes: frozenset[str] = frozenset()
    bound_group_id: int | None = None
    token_id: int | None = None
    token_expires_at: datetime | None = None
    session_id: int | None = None
    seen_at: datetime | None = None
    route_id: int | None = None
    source: str | None = None
    token_digest: bytes = b""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a browser stays signed in: without use, and in any case."""

    idle: timedelta
    absolute: timedelta


def load_identity(
    session: Session, credential: str, now: datetime, lives: Lifetimes
) -> Identity | None:
    """The identity of ``credential``, a cookie's value or bearer token; None if invalid."""
    match token_kind(credential):
        case TokenKind.SESSION:
            return _load_browser(session, credential, now, lives)
        case TokenKind.USER:
            return _load_token(session, credential, now)
        case TokenKind.ROUTE:
            return load_route_identity(session, credential, now)
        case _:
            return None


def record_use(session: Session, identity: Identity, now: datetime) -> None:
    """Record the last use of the session or token of ``identity``."""
    session.execute(
        update(WebSession).where(WebSession.id == identity.session_id).values(last_seen_at=now)
        if identity.kind == "user"
        else update(ApiToken).where(ApiToken.id == identity.token_id).values(last_used_at=now)
    )


def _load_browser(
    session: Session, cookie: str, now: datetime, lives: Lifetimes
) -> Identity | None:
    row = session.execute(
        select(*_PERSON, WebSession.id.label("session_id"), WebSession.last_seen_at)
        .join(User, User.id == WebSession.user_id)
        .where(
            WebSession.digest == token_digest(cookie),
            WebSession.last_seen_at > now - lives.idle,
            WebSession.created_at > now - lives.absolute,
            User.active,
        )
    ).one_or_none()
    if row is None:
        return None
    return Identity(
        kind="user",
        session_id=row.session_id,
        seen_at=row.last_seen_at,
        **_load_person(session, row),
    )


def _load_token(session: Session, token: str, now: datetime) -> Identity | None:
    row = session.execute(
        select(
            *_PERSON,
            ApiToken.id.label("token_id"),
            ApiToken.scopes,
            ApiToken.group_id,
            ApiToken.expires_at,
            ApiToken.last_used_at,
        )
        .join(User, User.id == ApiToken.user_id)
        .where(ApiToken.digest == token_digest(token), User.active)
    ).one_or_none()
    if row is None or (row.expires_at is not None and row.expires_at <= now):
        return None
    return Identity(
        kind="token",
        token_id=row.token_id,
        token_expires_at=row.expires_at,
        scopes=frozenset(row.scopes),
        bound_group_id=row.group_id,
        seen_at=row.last_used_at,
        **_load_person(session, row),
    )


def load_route_identity(session: Session, token: str, now: datetime) -> Identity | None:
    """The identity of a route's token, or of one that was replaced a short time ago.

    None if it is invalid or the route is disabled.
    """
    digest = token_digest(token)
    query = (
        select(Route.id, Route.slug, Route.source)
        .join(Team, Team.id == Route.team_id)
        .join(Group, Group.id == Team.group_id)
        .where(Route.enabled, Team.active, Group.active)
    )
    row = session.execute(query.where(Route.token_digest == digest)).one_or_none()
    if row is None:
        replaced = and_(Route.old_token_digest == digest, Route.old_token_until > now)
        row = session.execute(query.where(replaced)).one_or_none()
    if row is None:
        return None
    return Identity(
        kind="route",
        username=row.slug,
        route_id=row.id,
        source=row.source,
        token_digest=digest,
    )


def _load_person(session: Session, row: Any) -> dict[str, Any]:
    """The fields of Identity that say who a person is and which roles they have."""
    groups: dict[int, GroupRole] = {}
    teams: dict[int, tuple[int, TeamRole]] = {}
    for group_id, team_id, role in session.execute(_select_memberships(row.id)):
        if team_id is None:
            groups[group_id] = GroupRole(role)
        else:
            teams[team_id] = (group_id, TeamRole(role))
    return {
        "user_id": row.id,
        "username": row.username,
        "display_name": row.display_name,
        "is_admin": row.is_admin,
        "zone": row.zone,
        "groups": groups,
        "teams": {team: role for team, (group, role) in teams.items() if group in groups},
    }


def _select_memberships(user_id: int) -> Any:
    of_groups: Any = (
        select(
            GroupMember.group_id,
            literal(None, type_=Team.id.type).label("team_id"),
            type_coerce(GroupMember.role, String).label("role"),
        )
        .join(Group, Group.id == GroupMember.group_id)
        .where(GroupMember.user_id == user_id, Group.active)
    )
    of_teams: Any = (
        select(Team.group_id, TeamMember.team_id, type_coerce(TeamMember.role, String))
        .join(Team, Team.id == TeamMember.team_id)
        .where(TeamMember.user_id == user_id)
    )
    return union_all(of_groups, of_teams)
