"""People in schedules, policies and fallbacks whom no page would reach.

Finding them means reading all schedules and policies, so a job does that regularly, and banners
read its result.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from incidentrelay import db
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
    team_id: int
    group_id: int
    place: str
    user_id: int


def list_unreachable(session: Session, memberships: Memberships) -> list[UnreachableReference]:
    """The last result, for the teams that ``memberships`` may see."""
    query = (
        select(Team.name, Team.unreachable)
        .join(Group, Group.id == Team.group_id)
        .where(Team.unreachable.is_not(None), Team.active, Group.active)
        .order_by(Team.name, Team.id)
    )
    teams = session.execute(scope(query, Team, memberships, Permission.VIEW))
    return [
        UnreachableReference(ReferenceKind(kind), team, place, person)
        for team, entries in teams
        for kind, place, person in entries or ()
    ]


def refresh_unreachable(session: Session, now: datetime) -> int:
    """Find them again; returns how many teams changed.

    Members of a rotation who are inactive do not count: their turns pass to others.
    """
    references = [
        *_fallbacks(session),
        *_policies(session),
        *_overrides(session, now),
        *_members(session),
    ]
    people = contact_methods.load_people(
        session, {each.user_id for each in references}, {each.group_id for each in references}
    )
    directory = Directory(
        users=people.users, ways=people.methods, members=frozenset(people.members)
    )
    found: dict[int, list[list[str]]] = defaultdict(list)
    for each in dict.fromkeys(references):
        if not _is_fine(each, directory):
            person = directory.name(each.user_id) or "A deleted user"
            found[each.team_id].append([str(each.kind), each.place, person])
    return _store(session, found)


def _store(session: Session, found: Mapping[int, list[list[str]]]) -> int:
    query = select(Team.id, Team.unreachable).where(Team.unreachable.is_not(None))
    stored: dict[int, Any] = dict(session.execute(query).all())
    changed = [
        {"id": team_id, "unreachable": found.get(team_id)}
        for team_id in sorted({*stored, *found})
        if stored.get(team_id) != found.get(team_id)
    ]
    # Not through the model: this is no edit of the team, so its version stays.
    db.update_by_id(session, Team, changed)
    return len(changed)


def _is_fine(reference: _Reference, directory: Directory) -> bool:
    addresses = directory.in_group(reference.group_id).person(reference.user_id)
    if reference.kind is ReferenceKind.ROTATION and not addresses:
        return True
    return any(address.method != INBOX for address in addresses)


def _fallbacks(session: Session) -> Iterator[_Reference]:
    query = _active(Team.fallback_user_id).where(Team.fallback_user_id.is_not(None))
    for team_id, group_id, user_id in session.execute(query):
        yield _Reference(ReferenceKind.FALLBACK, team_id, group_id, "", user_id)


def _policies(session: Session) -> Iterator[_Reference]:
    query = _active(Policy.name, Policy.steps).join(Policy, Policy.team_id == Team.id)
    for team_id, group_id, name, steps in session.execute(query):
        for kind, user_id in sorted(references.step_targets(steps)):
            if kind is TargetKind.USER:
                yield _Reference(ReferenceKind.POLICY, team_id, group_id, name, user_id)


def _overrides(session: Session, now: datetime) -> Iterator[_Reference]:
    query = (
        _active(Rotation.name, RotationOverride.user_id)
        .join(Rotation, Rotation.team_id == Team.id)
        .join(RotationOverride, RotationOverride.rotation_id == Rotation.id)
        .where(Rotation.enabled, RotationOverride.ends_at > now)
    )
    for team_id, group_id, name, user_id in session.execute(query):
        yield _Reference(ReferenceKind.OVERRIDE, team_id, group_id, name, user_id)


def _members(session: Session) -> Iterator[_Reference]:
    latest = references.load_current_revisions().subquery()
    query = (
        _active(Rotation.name, RotationLayer.members)
        .join(Rotation, Rotation.team_id == Team.id)
        .join(latest, latest.c.rotation_id == Rotation.id)
        .join(RotationLayer, RotationLayer.revision_id == latest.c.id)
        .where(Rotation.enabled)
    )
    for team_id, group_id, name, members in session.execute(query):
        for user_id in members:
            yield _Reference(ReferenceKind.ROTATION, team_id, group_id, name, user_id)


def _active(*columns: Any) -> Select[Any]:
    return (
        select(Team.id, Team.group_id, *columns)
        .join(Group, Group.id == Team.group_id)
        .where(Team.active, Group.active)
        .order_by(Team.name, Team.id)
    )
