"""What depends on a person, shown before they are deactivated or removed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import AlertStatus, TargetKind
from incidentrelay.domain.errors import HasDependents
from incidentrelay.models import (
    Alert,
    Group,
    Policy,
    Rotation,
    RotationLayer,
    RotationOverride,
    Team,
    User,
)
from incidentrelay.services.common import references

MOST_ALERTS = 1000


@dataclass(frozen=True, slots=True)
class Dependents:
    """Everything open that names the person, as ``group/team/slug``.

    ``rotations`` have them in the current schedule, ``overrides`` (``…/rotation/id``) are not
    over, ``policies`` notify them, ``fallback_of`` are teams whose fallback contact they are,
    and ``alerts`` (at most 1,000) are open and assigned to them or acknowledged by them.
    """

    rotations: Sequence[str]
    overrides: Sequence[str]
    policies: Sequence[str]
    fallback_of: Sequence[str]
    alerts: Sequence[int]


def require_none(
    session: Session, user: User, now: datetime, *, group_id: int | None = None
) -> None:
    """Raise HasDependents if anything depends on ``user``."""
    found = asdict(list_dependents(session, user, now, group_id=group_id))
    if any(found.values()):
        raise HasDependents(
            f"Others depend on {user.username}: see “dependents”. Change those first, or repeat"
            " this with confirm=true.",
            found,
        )


def list_dependents(
    session: Session, user: User, now: datetime, *, group_id: int | None = None
) -> Dependents:
    """What depends on ``user``, in one group or (None) anywhere."""
    return Dependents(
        rotations=_rotations(session, user, group_id),
        overrides=_overrides(session, user, group_id, now),
        policies=_policies(session, user, group_id),
        fallback_of=_fallbacks(session, user, group_id),
        alerts=_alerts(session, user, group_id),
    )


def _rotations(session: Session, user: User, group_id: int | None) -> list[str]:
    latest = references.load_current_revisions().subquery()
    query = _named(group_id, Rotation.slug, RotationLayer.members)
    query = query.join(Rotation, Rotation.team_id == Team.id)
    query = query.join(latest, latest.c.rotation_id == Rotation.id)
    query = query.join(RotationLayer, RotationLayer.revision_id == latest.c.id)
    return sorted(
        {_path(*names) for *names, members in session.execute(query) if user.id in members}
    )


def _overrides(session: Session, user: User, group_id: int | None, now: datetime) -> list[str]:
    query = (
        _named(group_id, Rotation.slug, RotationOverride.id)
        .join(Rotation, Rotation.team_id == Team.id)
        .join(RotationOverride, RotationOverride.rotation_id == Rotation.id)
        .where(RotationOverride.user_id == user.id, RotationOverride.ends_at > now)
        .order_by(RotationOverride.id)
    )
    return [_path(*names) for names in session.execute(query)]


def _policies(session: Session, user: User, group_id: int | None) -> list[str]:
    query = _named(group_id, Policy.slug, Policy.steps).join(Policy, Policy.team_id == Team.id)
    return sorted(
        _path(*names)
        for *names, steps in session.execute(query)
        if (TargetKind.USER, user.id) in references.step_targets(steps)
    )


def _fallbacks(session: Session, user: User, group_id: int | None) -> list[str]:
    query = _named(group_id).where(Team.fallback_user_id == user.id)
    return sorted(_path(*names) for names in session.execute(query))


def _alerts(session: Session, user: User, group_id: int | None) -> list[int]:
    query = select(Alert.id).where(
        Alert.status != AlertStatus.RESOLVED,
        or_(Alert.assignee_id == user.id, Alert.acknowledged_by_id == user.id),
    )
    if group_id is not None:
        query = query.where(Alert.team_id.in_(select(Team.id).where(Team.group_id == group_id)))
    return list(session.scalars(query.order_by(Alert.id).limit(MOST_ALERTS)))


def _named(group_id: int | None, *columns: Any) -> Select[Any]:
    """Rows that begin with the slugs of group and team."""
    query = select(Group.slug, Team.slug, *columns).join(Team, Team.group_id == Group.id)
    return query if group_id is None else query.where(Group.id == group_id)


def _path(*names: Any) -> str:
    return "/".join(str(name) for name in names)
