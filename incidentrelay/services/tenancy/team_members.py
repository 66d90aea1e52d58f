"""Roles in teams; only members of the group can have one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import TeamRole
from incidentrelay.domain.errors import Conflict
from incidentrelay.models import Team, TeamMember, User
from incidentrelay.services.access import user_lookup
from incidentrelay.services.common import audit, limits, resources, validation
from incidentrelay.services.tenancy import departures

_ROLE: Mapping[str, validation.Check] = {"role": validation.word(TeamRole)}


def create(
    session: Session, team: Team, data: Mapping[str, Any], *, actor: Actor, now: datetime
) -> TeamMember:
    """Give a member of the group a role in the team, up to the actor's own."""
    values = validation.clean(
        data,
        {**_ROLE, "username": validation.line(*limits.USERNAME)},
        required=("username", "role"),
    )
    user_lookup.require_rank(session, actor, team.group_id, [values["role"]], team)
    resources.lock_group(session, team.group_id)
    user = user_lookup.find_member(session, team.group_id, values["username"], "username")
    conflict = f"{user.username} is a member of the team already."
    twin = select(TeamMember.id).where(TeamMember.team_id == team.id, TeamMember.user_id == user.id)
    if session.scalar(twin) is not None:
        raise Conflict(conflict)
    member = TeamMember(
        team=team,
        team_id=team.id,
        user=user,
        user_id=user.id,
        role=values["role"],
        created_at=now,
        updated_at=now,
    )
    resources.insert_row(session, member, conflict=conflict)
    audit.record_team_change(
        session,
        actor,
        "create",
        team,
        member,
        {"role": [None, member.role]},
        now=now,
        name=user.username,
    )
    return member


def update(
    session: Session, member: TeamMember, data: Mapping[str, Any], *, actor: Actor, now: datetime
) -> TeamMember:
    """Change the role, up to the actor's own."""
    values = validation.clean(data, _ROLE)
    team = session.get_one(Team, member.team_id)
    roles = [member.role, values.get("role", member.role)]
    user_lookup.require_rank(session, actor, team.group_id, roles, team)
    diff = resources.change_row(member, values)
    if diff:
        resources.save_row(session, member, now)
        user = session.get_one(User, member.user_id)
        audit.record_team_change(
            session, actor, "update", team, member, diff, now=now, name=user.username
        )
    return member


def delete(session: Session, member: TeamMember, *, actor: Actor, now: datetime) -> None:
    """Revoke the role in the team; the membership of the group stays."""
    team = session.get_one(Team, member.team_id)
    user_lookup.require_rank(session, actor, team.group_id, [member.role], team)
    resources.remove_row(session, member, conflict="This membership is still needed.")
    user = session.get_one(User, member.user_id)
    departures.move_on_in_team(session, user, team, now)
    diff: audit.Diff = {"role": [member.role, None]}
    audit.record_team_change(
        session, actor, "delete", team, member, diff, now=now, name=user.username
    )
