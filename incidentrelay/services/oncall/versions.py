"""Counts the changes to a rotation's schedule.

Calendar programs need a number that grows with every change of an entry. Current rows
cannot provide it, because the cause may be gone (a deleted override), so each change is
counted in its own transaction. This also invalidates the rotation's stored coverage.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from incidentrelay.models import GroupMember, Rotation, Team


def bump_rotation(session: Session, rotation_id: int, now: datetime) -> None:
    """Call after adding a revision, or creating, editing or deleting an override."""
    _count(session, Rotation.id == rotation_id, now)


def bump_group(session: Session, group_id: int, now: datetime) -> None:
    """Call when a person joins or leaves the group, because their shifts change."""
    _count(session, Rotation.team_id.in_(select(Team.id).where(Team.group_id == group_id)), now)


def bump_person(session: Session, user_id: int, now: datetime) -> None:
    """Call when a person is activated or deactivated, because their shifts change."""
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
        # Nobody edited the row, so its version stays the same.
        .execution_options(synchronize_session=False)
    )
