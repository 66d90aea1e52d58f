"""Who may be notified about a group's alerts."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, exists, or_, select
from sqlalchemy.orm import Session, aliased

from incidentrelay.models import Channel, GroupMember, Team, TeamMember, User

_IDS: BindParameter[int] = bindparam("ids", expanding=True)
# With the group of each.
_CHANNELS: Select[Channel, Any] = (
    select(Channel, Team.group_id)
    .join(Team, Team.id == Channel.team_id)
    .where(Channel.id.in_(_IDS))
)


def is_insider(user_id: Any, group_id: Any) -> ColumnElement[bool]:
    """SQL for whether the person may be notified about alerts of the group.

    They are active and a member; site admins belong to every group. The arguments are
    columns of the enclosing statement, or values.
    """
    person, membership = aliased(User), aliased(GroupMember)
    admin = exists().where(person.id == user_id, person.active, person.is_admin)
    # Not nested, because only the enclosing statement's columns are correlated.
    member = exists().where(
        membership.user_id == user_id,
        membership.group_id == group_id,
        person.id == membership.user_id,
        person.active,
    )
    return or_(admin, member)


def load_channels(session: Session, ids: Collection[int]) -> list[tuple[Channel, int]]:
    """The channels, each with its group."""
    if not ids:
        return []
    rows = session.execute(_CHANNELS, {"ids": list(ids)})
    return [(channel, group_id) for channel, group_id in rows]


def load_team_members(session: Session, team_ids: Collection[int]) -> dict[int, tuple[int, ...]]:
    """The members of each team, the oldest membership first."""
    members: dict[int, list[int]] = {team_id: [] for team_id in team_ids}
    if team_ids:
        query = select(TeamMember.team_id, TeamMember.user_id).where(
            TeamMember.team_id.in_(team_ids)
        )
        for team_id, user_id in session.execute(query.order_by(TeamMember.id)):
            members[team_id].append(user_id)
    return {team_id: tuple(people) for team_id, people in members.items()}
