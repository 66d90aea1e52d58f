"""What the pages of groups show, in a constant number of statements."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Group, GroupMember, Team, TeamMember, User
from incidentrelay.services.access.visibility import Memberships, scope

MOST_GROUPS = 300
MOST_TEAMS = 1000
MOST_MEMBERS = 1000


@dataclass(frozen=True, slots=True)
class GroupListing:
    """A group, its teams by name, and the number of its members."""

    group: Group
    teams: Sequence[Team]
    members: int


def list_groups(session: Session, memberships: Memberships) -> list[GroupListing]:
    """The visible groups by name (at most 300), with their teams (at most 1,000)."""
    query = select(Group).order_by(Group.name, Group.id).limit(MOST_GROUPS)
    groups = session.scalars(scope(query, Group, memberships, Permission.VIEW)).all()
    ids = [group.id for group in groups]
    teams = _teams(session, ids)
    counts = (
        select(GroupMember.group_id, func.count())
        .where(GroupMember.group_id.in_(ids))
        .group_by(GroupMember.group_id)
    )
    members: dict[int, int] = dict(session.execute(counts).all())
    return [GroupListing(group, teams[group.id], members.get(group.id, 0)) for group in groups]


def list_teams(session: Session, group: Group) -> Sequence[Team]:
    """The teams of one group by name (at most 1,000)."""
    return _teams(session, [group.id])[group.id]


def list_group_members(session: Session, group: Group) -> Sequence[GroupMember]:
    """The members by name (at most 1,000), with their users."""
    query = (
        select(GroupMember)
        .join(GroupMember.user)
        .options(joinedload(GroupMember.user))
        .where(GroupMember.group_id == group.id)
        .order_by(User.display_name, User.id)
        .limit(MOST_MEMBERS)
    )
    return session.scalars(query).all()


def list_team_members(session: Session, team: Team) -> Sequence[TeamMember]:
    """The members by name (at most 1,000), with their users."""
    query = (
        select(TeamMember)
        .join(TeamMember.user)
        .options(joinedload(TeamMember.user))
        .where(TeamMember.team_id == team.id)
        .order_by(User.display_name, User.id)
        .limit(MOST_MEMBERS)
    )
    return session.scalars(query).all()


def list_newcomers(session: Session, memberships: Memberships, group: Group) -> list[User]:
    """Active users outside the group who may be suggested to the reader.

    Others than site admins see people of their own groups only.
    """
    inside = select(GroupMember.user_id).where(GroupMember.group_id == group.id)
    query = select(User).where(User.active, User.id.not_in(inside))
    if not memberships.is_admin:
        shared = GroupMember.group_id.in_(memberships.groups)
        query = query.where(User.id.in_(select(GroupMember.user_id).where(shared)))
    query = query.order_by(User.display_name, User.id).limit(MOST_MEMBERS)
    return list(session.scalars(query))


def list_team_newcomers(session: Session, team: Team) -> list[User]:
    """Active members of the group without a role in the team."""
    inside = select(TeamMember.user_id).where(TeamMember.team_id == team.id)
    query = (
        select(User)
        .join(GroupMember, GroupMember.user_id == User.id)
        .where(GroupMember.group_id == team.group_id, User.active, User.id.not_in(inside))
        .order_by(User.display_name, User.id)
        .limit(MOST_MEMBERS)
    )
    return list(session.scalars(query))


def _teams(session: Session, group_ids: Sequence[int]) -> Mapping[int, list[Team]]:
    query = (
        select(Team)
        .options(joinedload(Team.group))
        .where(Team.group_id.in_(group_ids))
        .order_by(Team.name, Team.id)
        .limit(MOST_TEAMS)
    )
    found: dict[int, list[Team]] = defaultdict(list)
    for team in session.scalars(query):
        found[team.group_id].append(team)
    return found
