"""Rows for tests: one plain function per model, with defaults that are valid.

Each adds its row to the session, flushes (so that ids are known) and returns it.
Keyword arguments are columns and win over the defaults.
"""

import itertools
import uuid
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from incidentrelay import models
from incidentrelay.domain.enums import (
    AlertStatus,
    EventKind,
    GroupRole,
    NotificationKind,
    Severity,
    ShiftUnit,
    SignalStatus,
    TeamRole,
    Urgency,
)
from incidentrelay.domain.escalation.plan import Plan
from incidentrelay.services.access.secrets import TokenKind, new_token, token_digest, token_hint

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
_numbers = itertools.count(1)

Row = TypeVar("Row", bound=models.Base)


def _add(session: Session, row: Row) -> Row:
    session.add(row)
    session.flush()
    return row


def _stamps(given: dict[str, Any]) -> dict[str, Any]:
    at = given.pop("now", NOW)
    return {"created_at": at, "updated_at": at}


def user(session: Session, username: str = "", **given: Any) -> models.User:
    name = username or f"user{next(_numbers)}"
    values = {"username": name, "display_name": name.title(), "email": f"{name}@example.test"}
    return _add(session, models.User(**{**_stamps(given), **values, **given}))


def contact(session: Session, user: models.User, **given: Any) -> models.ContactMethod:
    """A confirmed one; by default the address of the profile."""
    values = {
        "user_id": user.id,
        "kind": "email",
        "label": "Profile",
        "address": user.email or f"{user.username}@elsewhere.test",
        "verified_at": NOW,
    }
    return _add(session, models.ContactMethod(**{**_stamps(given), **values, **given}))


def rule(
    session: Session, contact: models.ContactMethod, delay: int, urgency: Urgency = Urgency.HIGH
) -> models.NotificationRule:
    row = models.NotificationRule(contact_id=contact.id, urgency=urgency, delay=delay)
    return _add(session, row)


def group(session: Session, slug: str = "", **given: Any) -> models.Group:
    slug = slug or f"group{next(_numbers)}"
    values = {"slug": slug, "name": slug.title()}
    return _add(session, models.Group(**{**_stamps(given), **values, **given}))


def team(session: Session, group: models.Group, slug: str = "", **given: Any) -> models.Team:
    slug = slug or f"team{next(_numbers)}"
    values = {"slug": slug, "name": slug.title(), "group_id": group.id, "group": group}
    return _add(session, models.Team(**{**_stamps(given), **values, **given}))


def group_member(
    session: Session,
    group: models.Group,
    user: models.User,
    role: GroupRole = GroupRole.VIEWER,
    **given: Any,
) -> models.GroupMember:
    values = {"group_id": group.id, "user_id": user.id, "role": role}
    return _add(session, models.GroupMember(**{**_stamps(given), **values, **given}))


def team_member(
    session: Session,
    team: models.Team,
    user: models.User,
    role: TeamRole = TeamRole.RESPONDER,
    **given: Any,
) -> models.TeamMember:
    values = {"team_id": team.id, "user_id": user.id, "role": role}
    return _add(session, models.TeamMember(**{**_stamps(given), **values, **given}))


def rotation(
    session: Session,
    team: models.Team,
    slug: str = "",
    members: tuple[models.User, ...] = (),
    **given: Any,
) -> models.Rotation:
    """A rotation; with ``members`` also one weekly layer (Mondays 09:00 UTC)."""
    slug = slug or f"rotation{next(_numbers)}"
    values = {"slug": slug, "name": slug.title(), "team_id": team.id, "team": team}
    row = _add(session, models.Rotation(**{**_stamps(given), **values, **given}))
    if members:
        revision(session, row, members)
    return row


def revision(
    session: Session,
    rotation: models.Rotation,
    members: tuple[models.User, ...],
    *,
    effective_from: datetime | None = None,
    **layer: Any,
) -> models.RotationRevision:
    """One revision with one layer; ``layer`` are that layer's columns."""
    values = {
        "position": 0,
        "key": 1,
        "name": "Layer 1",
        "members": [member.id for member in members],
        "unit": ShiftUnit.WEEKS,
        "length": 1,
        "handoff_time": time(9),
        "handoff_weekday": 0,
        "zone": "UTC",
        "start_date": date(2026, 1, 5),
        "windows": [],
    }
    row = models.RotationRevision(
        rotation_id=rotation.id, effective_from=effective_from, created_at=NOW
    )
    row.layers = [models.RotationLayer(**{**values, **layer})]
    return _add(session, row)


def override(
    session: Session, rotation: models.Rotation, user: models.User, **given: Any
) -> models.RotationOverride:
    values = {
        "rotation_id": rotation.id,
        "user_id": user.id,
        "starts_at": NOW,
        "ends_at": NOW + timedelta(hours=1),
    }
    return _add(session, models.RotationOverride(**{**_stamps(given), **values, **given}))


def channel(session: Session, team: models.Team, slug: str = "", **given: Any) -> models.Channel:
    slug = slug or f"channel{next(_numbers)}"
    values = {
        "slug": slug,
        "name": slug.title(),
        "team_id": team.id,
        "team": team,
        "uid": str(uuid.uuid4()),
        "kind": "inbox",
        "config": {},
    }
    return _add(session, models.Channel(**{**_stamps(given), **values, **given}))


def policy(session: Session, team: models.Team, slug: str = "", **given: Any) -> models.Policy:
    slug = slug or f"policy{next(_numbers)}"
    values = {"slug": slug, "name": slug.title(), "team_id": team.id, "team": team, "steps": []}
    return _add(session, models.Policy(**{**_stamps(given), **values, **given}))


def route(
    session: Session, team: models.Team, slug: str = "", *, token: str = "", **given: Any
) -> models.Route:
    """A webhook route; ``token`` is its plaintext token (default: one of its own)."""
    slug = slug or f"route{next(_numbers)}"
    token = token or new_token(TokenKind.ROUTE)
    values = {
        "slug": slug,
        "name": slug.title(),
        "team_id": team.id,
        "team": team,
        "source": "webhook",
        "token_digest": token_digest(token),
        "token_hint": token_hint(token),
        "matchers": [],
        "group_by": [],
    }
    return _add(session, models.Route(**{**_stamps(given), **values, **given}))


def silence(session: Session, team: models.Team, **given: Any) -> models.Silence:
    values = {
        "team_id": team.id,
        "team": team,
        "matchers": ["alertname=DiskFull"],
        "starts_at": NOW,
        "ends_at": NOW + timedelta(hours=1),
        "reason": "Maintenance",
    }
    values["next_change_at"] = given.get("starts_at", NOW)
    return _add(session, models.Silence(**{**_stamps(given), **values, **given}))


def alert(
    session: Session, team: models.Team, route: models.Route | None = None, **given: Any
) -> models.Alert:
    """A firing alert without signals and timeline; its plan has no steps."""
    number = next(_numbers)
    at = given.pop("now", NOW)
    values = {
        "team_id": team.id,
        "team": team,
        "route_id": route.id if route else None,
        "group_key": f"key-{number}",
        "status": AlertStatus.FIRING,
        "severity": Severity.CRITICAL,
        "title": f"Disk {number} is full",
        "labels": {"alertname": "DiskFull"},
        "annotations": {},
        "opened_at": at,
        "last_seen_at": at,
        "plan": Plan(steps=()).to_json(),
        "progress": {},
    }
    return _add(session, models.Alert(**{**values, **given}))


def signal(session: Session, alert: models.Alert, **given: Any) -> models.Signal:
    at = given.pop("now", NOW)
    values = {
        "route_id": alert.route_id,
        "alert_id": alert.id,
        "dedup_key": alert.group_key,
        "status": SignalStatus.FIRING,
        "severity": alert.severity,
        "title": alert.title,
        "labels": dict(alert.labels),
        "annotations": {},
        "starts_at": at,
        "first_seen_at": at,
        "last_seen_at": at,
    }
    return _add(session, models.Signal(**{**values, **given}))


def event(
    session: Session, alert: models.Alert, kind: EventKind = EventKind.CREATED, **given: Any
) -> models.Event:
    values = {"alert_id": alert.id, "at": NOW, "kind": kind, "via": "source", "data": {}}
    return _add(session, models.Event(**{**values, **given}))


def notification(
    session: Session, alert: models.Alert, target: str = "user:1:inbox", **given: Any
) -> models.Notification:
    values = {
        "uid": str(uuid.uuid4()),
        "alert_id": alert.id,
        "team_id": alert.team_id,
        "generation": alert.generation,
        "step": next(_numbers),
        "kind": NotificationKind.PAGE,
        "target": target,
        "method": "inbox",
        "provider": "inbox",
        "message": {},
        "priority": 0,
        "next_at": NOW,
        "handle": {},
        "created_at": NOW,
    }
    return _add(session, models.Notification(**{**values, **given}))


def api_token(
    session: Session, user: models.User, token: str, scopes: tuple[str, ...], **given: Any
) -> models.ApiToken:
    values = {
        "user_id": user.id,
        "name": f"token{next(_numbers)}",
        "digest": token_digest(token),
        "hint": token_hint(token),
        "scopes": list(scopes),
    }
    return _add(session, models.ApiToken(**{**_stamps(given), **values, **given}))


def feed(session: Session, user: models.User, token: str = "", **given: Any) -> models.CalendarFeed:
    token = token or new_token(TokenKind.FEED)
    values = {"user_id": user.id, "digest": token_digest(token), "hint": token_hint(token)}
    return _add(session, models.CalendarFeed(**{**_stamps(given), **values, **given}))


def web_session(
    session: Session, user: models.User, cookie: str, **given: Any
) -> models.WebSession:
    at = given.pop("now", NOW)
    values = {
        "digest": token_digest(cookie),
        "user_id": user.id,
        "created_at": at,
        "last_seen_at": at,
    }
    return _add(session, models.WebSession(**{**values, **given}))
