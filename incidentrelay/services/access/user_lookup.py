"""Finds the people a request names, and their roles."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import GroupRole
from incidentrelay.domain.errors import InvalidInput, NotAllowed
from incidentrelay.domain.permissions import outranks
from incidentrelay.domain.text import is_line
from incidentrelay.models import ContactMethod, Group, GroupMember, Team, TeamMember, User
from incidentrelay.services.access.visibility import Memberships

_NOBODY = "There is no user with this name."


def find_user(session: Session, username: object, field: str = "username") -> User:
    """Find the user by name; raises InvalidInput for ``field`` if there is none."""
    text = username.strip().casefold() if isinstance(username, str) else ""
    user = session.scalar(select(User).where(User.username == text)) if _storable(text) else None
    if user is None:
        raise InvalidInput.of(field, _NOBODY)
    return user


def find_colleague(session: Session, memberships: Memberships, username: object) -> User:
    """Find a user visible to ``memberships``: a site admin, or a member of their groups.

    Raises InvalidInput (``username``) otherwise, so that accounts cannot be enumerated.
    """
    user = find_user(session, username)
    if memberships.is_admin or user.is_admin:
        return user
    shared = select(GroupMember.id).where(
        GroupMember.user_id == user.id, GroupMember.group_id.in_(memberships.groups)
    )
    if session.scalar(shared.limit(1)) is None:
        raise InvalidInput.of("username", _NOBODY)
    return user


def find_member(session: Session, group_id: int, username: object, field: str) -> User:
    """Find the group's active member by name; raises InvalidInput for ``field``."""
    return find_members(session, group_id, [username], field)[0]


def find_reachable_member(session: Session, group_id: int, username: object, field: str) -> User:
    """Like :func:`find_member`; also raises InvalidInput if no page would reach them."""
    user = find_member(session, group_id, username, field)
    if session.scalar(select(User.id).where(User.id == user.id, is_reachable())) is None:
        raise InvalidInput.of(
            field, f"“{user.username}” cannot be reached: no confirmed contact, and no e-mail."
        )
    return user


def is_reachable() -> ColumnElement[bool]:
    """SQL for whether pages reach an active user by more than their inbox.

    ``recipients.reachable`` does the same for a loaded directory.
    """
    confirmed = exists().where(
        ContactMethod.user_id == User.id, ContactMethod.verified_at.is_not(None)
    )
    return and_(User.active, or_(User.email.is_not(None), confirmed))


def find_members(
    session: Session,
    group_id: int,
    usernames: Sequence[object],
    field: str,
    *,
    keep: Collection[int] = (),
) -> list[User]:
    """Active members of the group, in the order of ``usernames``, in one statement.

    Those whose ids are in ``keep`` need not be active.
    """
    texts = [name.strip().casefold() if isinstance(name, str) else "" for name in usernames]
    found = {
        user.username: user
        for user in session.scalars(
            select(User)
            .join(GroupMember, GroupMember.user_id == User.id)
            .where(
                GroupMember.group_id == group_id,
                User.username.in_([text for text in texts if _storable(text)]),
            )
        )
    }
    for text in texts:
        if text not in found:
            shown = f"“{text[:63]}”" if is_line(text) and text else "Somebody"
            raise InvalidInput.of(field, f"{shown} is not a member of the group.")
        if not found[text].active and found[text].id not in keep:
            raise InvalidInput.of(field, f"“{text}” is not active.")
    return [found[text] for text in texts]


def display_names(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """Usernames by id, for the ids that exist."""
    query = select(User.id, User.username).where(User.id.in_(set(ids)))
    return dict(session.execute(query).all())


def require_rank(
    session: Session, actor: Actor, group_id: int, roles: Iterable[str], team: Team | None = None
) -> None:
    """Raise NotAllowed unless the actor's role is as high as each of ``roles``.

    Site admins may grant and revoke every role. In a team, both the role in its group and the
    role in the team itself count.
    """
    if actor.is_admin:
        return
    own = _roles(session, actor, group_id, team)
    for role in roles:
        if not any(outranks(own_role, role) for own_role in own):
            raise NotAllowed(f"The role {role} is above your own; ask someone who has it.")


def _roles(session: Session, actor: Actor, group_id: int, team: Team | None) -> list[str]:
    if actor.user_id is None:
        return []
    own: list[str] = list(
        session.scalars(
            select(GroupMember.role)
            .join(Group, Group.id == GroupMember.group_id)
            .where(
                GroupMember.group_id == group_id,
                GroupMember.user_id == actor.user_id,
                Group.active,
            )
        )
    )
    if team is not None:
        own += session.scalars(
            select(TeamMember.role).where(
                TeamMember.team_id == team.id, TeamMember.user_id == actor.user_id
            )
        )
    return own


def last_owner(session: Session, group_id: int, user_id: int) -> bool:
    """Whether the group has no other active owner."""
    other = session.scalar(
        select(GroupMember.id)
        .join(User, User.id == GroupMember.user_id)
        .where(
            GroupMember.group_id == group_id,
            GroupMember.role == GroupRole.OWNER,
            GroupMember.user_id != user_id,
            User.active,
        )
        .limit(1)
    )
    return other is None


def _storable(text: str) -> bool:
    return is_line(text) and 0 < len(text) <= 63
