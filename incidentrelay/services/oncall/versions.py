"""Counts the changes to a rotation's schedule.

Calendar programs need a number that grows with every change of an entry. The present rows
cannot give it, because the cause may be gone (a deleted override), so each change is
counted in its own transaction. It also makes the stored coverage of the rotation unknown.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from incidentrelay.models import GroupMember, Rotation, Team


def bump_rotation(session: Session, rotation_id: int, now: datetime) -> None:
    """A revision was added, or an override was created, edited or deleted."""
    _count(session, Rotation.id == rotation_id, now)


def bump_group(session: Session, group_id: int, now: datetime) -> None:
    """Somebody joined or left the group, which turns their shifts on or off."""
    _count(session, Rotation.team_id.in_(select(Team.id).where(Team.group_id == group_id)), now)


def bump_person(session: Session, user_id: int, now: datetime) -> None:
    """Somebody was activated or deactivated, which turns their shifts on or off."""
    groups = select(GroupMember.group_id).where(GroupMember.user_id == user_id)
    teams = select(Team.id).where(Team.group_id.in_(groups))
    _count(session, Rotation.team_id.in_(teams), now)


def _count(session: Session, which: ColumnElement[bool], now: datetime) -> None:
    session.execute(
        update(Rotation)
        .where(which)
        .values(
            schedule_changes=Rotation.schedule_changes + 1,
            schedule_changed_at=now,
            next_boundary_at=None,
        )
        # The version of the rotation stays: nobody edited the row.
        .execution_options(synchronize_session=False)
    )
