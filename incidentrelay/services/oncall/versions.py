"""Counts what changes who is on call in a rotation.

Calendar programs want a number that grows whenever an entry changes. It cannot be
reckoned from what is there, because what changed a shift may be gone, like an override
that was deleted: so every such change is counted in its own transaction.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from incidentrelay.models import GroupMember, Rotation, Team


def bump_rotation(session: Session, rotation_id: int, now: datetime) -> None:
    """The rotation has a new revision, or an override was made, edited or deleted."""
    _count(session, Rotation.id == rotation_id, now)


def bump_group(session: Session, group_id: int, now: datetime) -> None:
    """Somebody joined or left the group, by which overrides to them begin or cease to hold."""
    _count(session, Rotation.team_id.in_(select(Team.id).where(Team.group_id == group_id)), now)


def bump_person(session: Session, user_id: int, now: datetime) -> None:
    """Somebody was made active or inactive, which hands on their turns."""
    groups = select(GroupMember.group_id).where(GroupMember.user_id == user_id)
    teams = select(Team.id).where(Team.group_id.in_(groups))
    _count(session, Rotation.team_id.in_(teams), now)


def _count(session: Session, which: ColumnElement[bool], now: datetime) -> None:
    session.execute(
        update(Rotation)
        .where(which)
        .values(schedule_changes=Rotation.schedule_changes + 1, schedule_changed_at=now)
        # No version of the rotation itself: nobody edited it.
        .execution_options(synchronize_session=False)
    )
