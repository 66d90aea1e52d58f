"""People whom a schedule, policy or team names although no page would reach them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from incidentrelay.channels.kinds import INBOX
from incidentrelay.domain.enums import TargetKind
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import (
    Group,
    Policy,
    Rotation,
    RotationLayer,
    RotationOverride,
    Team,
)
from incidentrelay.services.access.visibility import Memberships, scope
from incidentrelay.services.common import references
from incidentrelay.services.recipients import contact_methods
from incidentrelay.services.recipients.directory import Directory


class ReferenceKind(StrEnum):
    FALLBACK = "fallback"
    POLICY = "policy"
    OVERRIDE = "override"
    ROTATION = "rotation"


@dataclass(frozen=True, slots=True)
class UnreachableReference:
    """``place`` is the policy or rotation, empty for a fallback contact of ``team``."""

    kind: ReferenceKind
    team: str
    place: str
    person: str


@dataclass(frozen=True, slots=True)
class _Reference:
    kind: ReferenceKind
    group_id: int
    team: str
    place: str
    user_id: int


def list_unreachable(
    session: Session, memberships: Memberships, now: datetime
) -> list[UnreachableReference]:
    """Those that ``memberships`` may see, in five statements.

    Members of a rotation who are inactive do not count: their turns pass to others.
    """
    found = [
        *_fallbacks(session, memberships),
        *_policies(session, memberships),
        *_overrides(session, memberships, now),
        *_members(session, memberships),
    ]
    people = contact_methods.load_people(
        session, {each.user_id for each in found}, {each.group_id for each in found}
    )
    directory = Directory(
        users=people.users, ways=people.methods, members=frozenset(people.members)
    )
    return [
        UnreachableReference(
            each.kind, each.team, each.place, directory.name(each.user_id) or "A deleted user"
        )
        for each in dict.fromkeys(found)
        if not _is_fine(each, directory)
    ]


def _is_fine(reference: _Reference, directory: Directory) -> bool:
    addresses = directory.in_group(reference.group_id).person(reference.user_id)
    if reference.kind is ReferenceKind.ROTATION and not addresses:
        return True
    return any(address.method != INBOX for address in addresses)


def _fallbacks(session: Session, memberships: Memberships) -> Iterator[_Reference]:
    query = _active(Team.fallback_user_id).where(Team.fallback_user_id.is_not(None))
    for group_id, team, user_id in _visible(session, query, Team, memberships):
        yield _Reference(ReferenceKind.FALLBACK, group_id, team, "", user_id)


def _policies(session: Session, memberships: Memberships) -> Iterator[_Reference]:
    query = _active(Policy.name, Policy.steps).join(Policy, Policy.team_id == Team.id)
    for group_id, team, name, steps in _visible(session, query, Policy, memberships):
        for kind, user_id in sorted(references.step_targets(steps)):
            if kind is TargetKind.USER:
                yield _Reference(ReferenceKind.POLICY, group_id, team, name, user_id)


def _overrides(session: Session, memberships: Memberships, now: datetime) -> Iterator[_Reference]:
    query = (
        _active(Rotation.name, RotationOverride.user_id)
        .join(Rotation, Rotation.team_id == Team.id)
        .join(RotationOverride, RotationOverride.rotation_id == Rotation.id)
        .where(Rotation.enabled, RotationOverride.ends_at > now)
    )
    for group_id, team, name, user_id in _visible(session, query, Rotation, memberships):
        yield _Reference(ReferenceKind.OVERRIDE, group_id, team, name, user_id)


def _members(session: Session, memberships: Memberships) -> Iterator[_Reference]:
    latest = references.load_current_revisions().subquery()
    query = (
        _active(Rotation.name, RotationLayer.members)
        .join(Rotation, Rotation.team_id == Team.id)
        .join(latest, latest.c.rotation_id == Rotation.id)
        .join(RotationLayer, RotationLayer.revision_id == latest.c.id)
        .where(Rotation.enabled)
    )
    for group_id, team, name, members in _visible(session, query, Rotation, memberships):
        for user_id in members:
            yield _Reference(ReferenceKind.ROTATION, group_id, team, name, user_id)


def _active(*columns: Any) -> Select[Any]:
    return (
        select(Team.group_id, Team.name, *columns)
        .join(Group, Group.id == Team.group_id)
        .where(Team.active, Group.active)
        .order_by(Team.name, Team.id)
    )


def _visible(
    session: Session, query: Select[Any], model: Any, memberships: Memberships
) -> Sequence[Any]:
    return session.execute(scope(query, model, memberships, Permission.VIEW)).all()
