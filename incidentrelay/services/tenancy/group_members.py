"""The members of groups and their roles."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete as delete_rows
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import GroupRole, TargetKind
from incidentrelay.domain.errors import Conflict
from incidentrelay.models import Group, GroupMember, Team, TeamMember, User
from incidentrelay.services.access import user_lookup
from incidentrelay.services.common import audit, limits, references, resources, validation
from incidentrelay.services.oncall import absences
from incidentrelay.services.oncall import versions as schedule_versions
from incidentrelay.services.tenancy import departures, dependents

_ROLE: Mapping[str, validation.Check] = {"role": validation.word(GroupRole)}


def create(
    session: Session, group: Group, data: Mapping[str, Any], *, actor: Actor, now: datetime
) -> GroupMember:
    """Make somebody a member; raises NotAllowed for a role above the actor's own."""
    values = validation.clean(
        data,
        {**_ROLE, "username": validation.line(*limits.USERNAME)},
        required=("username", "role"),
    )
    user_lookup.require_rank(session, actor, group.id, [values["role"]])
    resources.lock_group(session, group.id)
    user = user_lookup.find_user(session, values["username"])
    conflict = f"{user.username} is a member of the group already."
    twin = select(GroupMember.id).where(
        GroupMember.group_id == group.id, GroupMember.user_id == user.id
    )
    if session.scalar(twin) is not None:
        raise Conflict(conflict)
    member = GroupMember(
        group=group,
        group_id=group.id,
        user=user,
        user_id=user.id,
        role=values["role"],
        created_at=now,
        updated_at=now,
    )
    resources.insert_row(session, member, conflict=conflict)
    schedule_versions.bump_group(session, group.id, now)
    absences.end_absence(session, user.id, group.id, now)
    diff = {"role": [None, member.role]}
    audit.record_change(
        session, actor, "create", member, diff, now=now, group_id=group.id, name=user.username
    )
    return member


def update(
    session: Session, member: GroupMember, data: Mapping[str, Any], *, actor: Actor, now: datetime
) -> GroupMember:
    """Change the role; raises Conflict for the last owner, NotAllowed above one's own role."""
    values = validation.clean(data, _ROLE)
    role = values.get("role", member.role)
    user_lookup.require_rank(session, actor, member.group_id, [member.role, role])
    resources.lock_group(session, member.group_id)
    if role is not GroupRole.OWNER:
        _keep_an_owner(session, member)
    diff = resources.change_row(member, values)
    if diff:
        resources.save_row(session, member, now)
        audit.record_change(
            session,
            actor,
            "update",
            member,
            diff,
            now=now,
            group_id=member.group_id,
            name=_user(session, member).username,
        )
    return member


def delete(
    session: Session, member: GroupMember, *, actor: Actor, now: datetime, confirm: bool = False
) -> None:
    """Remove somebody from the group and from its teams.

    Raises Conflict for the last owner, and for people in a current schedule or a policy of the
    group; HasDependents if something else depends on them, unless ``confirm``. They stay the
    fallback contact of their teams: a banner warns until somebody chooses another.
    """
    user_lookup.require_rank(session, actor, member.group_id, [member.role])
    resources.lock_group(session, member.group_id)
    _keep_an_owner(session, member)
    user = _user(session, member)
    rotations = references.rotations_using(session, user.id, member.group_id)
    if rotations:
        raise Conflict(
            f"{user.username} is in rotations ({', '.join(rotations)}); take them out first."
        )
    references.refuse_targets(session, member.group_id, {(TargetKind.USER, user.id)}, user.username)
    if not confirm:
        dependents.require_none(session, user, now, group_id=member.group_id)
    teams = select(Team.id).where(Team.group_id == member.group_id)
    session.execute(
        delete_rows(TeamMember).where(TeamMember.user_id == user.id, TeamMember.team_id.in_(teams))
    )
    resources.remove_row(session, member, conflict=f"{user.username} is still needed in the group.")
    schedule_versions.bump_group(session, member.group_id, now)
    absences.begin_absence(session, user.id, member.group_id, now)
    departures.move_on(session, user, now)
    audit.record_change(
        session,
        actor,
        "delete",
        member,
        {"role": [member.role, None]},
        now=now,
        group_id=member.group_id,
        name=user.username,
    )


def _keep_an_owner(session: Session, member: GroupMember) -> None:
    if member.role is GroupRole.OWNER and user_lookup.last_owner(
        session, member.group_id, member.user_id
    ):
        raise Conflict("This is the last owner of the group; make somebody else an owner first.")


def _user(session: Session, member: GroupMember) -> User:
    return session.get_one(User, member.user_id)
