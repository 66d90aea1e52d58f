"""Loads a person's roles by id, for requests without a session or token."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import GroupRole, TeamRole
from incidentrelay.models import Group, GroupMember, Team, TeamMember, User


@dataclass(frozen=True, slots=True)
class Roles:
    """A person's roles, as :mod:`visibility` needs them, not bound to one group."""

    is_admin: bool
    groups: Mapping[int, GroupRole]
    teams: Mapping[int, TeamRole]
    bound_group_id: int | None = None


def load_roles(session: Session, user: User) -> Roles:
    """The roles of ``user`` in active groups, and in teams of groups they belong to."""
    in_groups = (
        select(GroupMember.group_id, GroupMember.role)
        .join(Group, Group.id == GroupMember.group_id)
        .where(GroupMember.user_id == user.id, Group.active)
    )
    groups = dict(session.execute(in_groups).all())
    in_teams = (
        select(Team.group_id, TeamMember.team_id, TeamMember.role)
        .join(Team, Team.id == TeamMember.team_id)
        .where(TeamMember.user_id == user.id)
    )
    teams = {
        team_id: role for group_id, team_id, role in session.execute(in_teams) if group_id in groups
    }
    return Roles(user.is_admin, groups, teams)
