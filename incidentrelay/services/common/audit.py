"""The audit log: who changed what, without secrets."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from sqlalchemy.orm import Session

from incidentrelay.domain.actors import Actor
from incidentrelay.models import (
    ApiToken,
    AuditEntry,
    Base,
    CalendarFeed,
    RotationOverride,
    Team,
    User,
)

MASK = "***"

_KINDS: Mapping[type[Base], str] = {
    ApiToken: "token",
    CalendarFeed: "feed",
    RotationOverride: "override",
}

Diff = Mapping[str, list[Any]]


def record_change(
    session: Session,
    actor: Actor,
    action: str,
    subject: Base,
    diff: Diff | None = None,
    *,
    now: datetime,
    group_id: int | None = None,
    name: str | None = None,
) -> AuditEntry:
    """Record that ``actor`` did ``action`` (``create``, ``update`` …) to ``subject``.

    ``diff`` maps a field to [before, after], with MASK in place of a secret.
    ``name`` names the subject if its own slug is not enough.
    """
    entry = AuditEntry(
        at=now,
        group_id=group_id,
        actor_id=actor.user_id,
        actor=actor.name[:120],
        action=action,
        subject_kind=kind_of(subject),
        subject=(name or name_of(subject))[:255],
        diff={field: [plain(value) for value in pair] for field, pair in (diff or {}).items()},
        request_id=actor.request_id[:64],
    )
    session.add(entry)
    return entry


def record_team_change(
    session: Session,
    actor: Actor,
    action: str,
    team: Team,
    subject: Base,
    diff: Diff,
    *,
    now: datetime,
    name: str | None = None,
) -> AuditEntry:
    """Record a change to something that ``team`` owns, named ``team/name``.

    ``name`` defaults to the subject's own.
    """
    name = f"{team.slug}/{name or name_of(subject)}"
    return record_change(
        session, actor, action, subject, diff, now=now, group_id=team.group_id, name=name
    )


def record_user_change(
    session: Session,
    actor: Actor,
    action: str,
    user: User,
    subject: Base,
    diff: Diff,
    *,
    now: datetime,
    group_id: int | None = None,
) -> AuditEntry:
    """Record a change to something that ``user`` owns, named ``user/name``."""
    name = f"{user.username}/{name_of(subject)}"
    return record_change(
        session, actor, action, subject, diff, now=now, group_id=group_id, name=name
    )


def kind_of(subject: Base) -> str:
    """The noun of a row, in lower case with underscores."""
    model = type(subject)
    return _KINDS.get(model) or re.sub(r"(?<!^)(?=[A-Z])", "_", model.__name__).lower()


def name_of(subject: Base) -> str:
    """The name people use for a row: its slug, username or name, else its id."""
    for field in ("slug", "username", "name", "id"):
        if field in subject.__mapper__.columns:
            return str(getattr(subject, field))
    raise TypeError(f"{type(subject).__name__} has no name")


def plain(value: Any) -> Any:
    """``value`` as JSON."""
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(entry) for entry in value]
    return value
