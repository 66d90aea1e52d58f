"""What the pages of users show, in a constant number of statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from incidentrelay.models import ContactMethod, Group, GroupMember, Team, TeamMember, User
from incidentrelay.services.access import user_lookup

PAGE = 50


@dataclass(frozen=True, slots=True)
class UserFilter:
    """``query`` is a part of a username, name or e-mail address; ``active`` None: all.

    ``after`` is the username where the previous page ended.
    """

    query: str = ""
    active: bool | None = True
    after: str = ""


@dataclass(frozen=True, slots=True)
class UserListing:
    """``reachable``: pages reach them by more than their inbox."""

    user: User
    groups: Sequence[str]
    reachable: bool


@dataclass(frozen=True, slots=True)
class UserMemberships:
    groups: Sequence[GroupMember]
    teams: Sequence[TeamMember]
    contacts: int
    reachable: bool


def list_users(session: Session, wanted: UserFilter) -> tuple[list[UserListing], str | None]:
    """50 users by username, and where the next page begins (None at the end)."""
    query = select(User).where(*_conditions(wanted)).order_by(User.username).limit(PAGE + 1)
    users = session.scalars(query).all()
    shown = users[:PAGE]
    ids = [user.id for user in shown]
    reached = _reachable(session, ids)
    names: dict[int, list[str]] = {user_id: [] for user_id in ids}
    groups = (
        select(GroupMember.user_id, Group.name)
        .join(Group, Group.id == GroupMember.group_id)
        .where(GroupMember.user_id.in_(ids))
        .order_by(Group.name, Group.id)
    )
    for user_id, name in session.execute(groups):
        names[user_id].append(name)
    listed = [UserListing(user, names[user.id], user.id in reached) for user in shown]
    return listed, shown[-1].username if len(users) > PAGE else None


def load_memberships(session: Session, user: User) -> UserMemberships:
    """The groups and teams of a user with their roles, and whether pages reach them."""
    groups = (
        select(GroupMember)
        .join(GroupMember.group)
        .options(joinedload(GroupMember.group))
        .where(GroupMember.user_id == user.id)
        .order_by(Group.name, Group.id)
    )
    teams = (
        select(TeamMember)
        .join(TeamMember.team)
        .options(joinedload(TeamMember.team).joinedload(Team.group))
        .where(TeamMember.user_id == user.id)
        .order_by(Team.name, Team.id)
    )
    contacts = select(ContactMethod.id).where(
        ContactMethod.user_id == user.id, ContactMethod.verified_at.is_not(None)
    )
    return UserMemberships(
        groups=session.scalars(groups).all(),
        teams=session.scalars(teams).all(),
        contacts=len(session.scalars(contacts).all()),
        reachable=user.id in _reachable(session, [user.id]),
    )


def _conditions(wanted: UserFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.active is not None:
        found.append(User.active.is_(wanted.active))
    if wanted.after:
        found.append(User.username > wanted.after)
    if wanted.query:
        columns: Sequence[InstrumentedAttribute[Any]] = (
            User.username,
            User.display_name,
            User.email,
        )
        found.append(or_(*(_contains(column, wanted.query) for column in columns)))
    return found


def _contains(column: InstrumentedAttribute[Any], text: str) -> ColumnElement[bool]:
    return column.icontains(text, autoescape=True)


def _reachable(session: Session, ids: Sequence[int]) -> set[int]:
    return set(session.scalars(select(User.id).where(User.id.in_(ids), user_lookup.is_reachable())))
