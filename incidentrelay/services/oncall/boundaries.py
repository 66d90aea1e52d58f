"""Stores how long coverage stays the same, so that readers can skip most schedules.

``rotations.covered`` is whether somebody is on call until ``next_boundary_at``. Every change of
a schedule clears that time (see versions.py); the sweep for shift reminders sets it again.
Readers load only the schedules of rotations that are due.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, or_, update
from sqlalchemy.orm import Session

from incidentrelay.domain.oncall.periods import end_of_period
from incidentrelay.domain.oncall.schedule import Schedule
from incidentrelay.domain.oncall.shifts import on_call, shifts
from incidentrelay.models import Rotation

# How far ahead to look for the end of a gap.
HORIZON = timedelta(days=14)

_STORE = (
    update(Rotation.__table__)  # type: ignore[arg-type]
    .where(
        Rotation.id == bindparam("rotation"),
        # A schedule that changed meanwhile stays due.
        Rotation.schedule_changes == bindparam("changes"),
    )
    .values(covered=bindparam("is_covered"), next_boundary_at=bindparam("boundary"))
)


def is_due(now: datetime) -> ColumnElement[bool]:
    """Whether the stored coverage of a rotation is unknown or out of date at ``now``."""
    return or_(Rotation.next_boundary_at.is_(None), Rotation.next_boundary_at <= now)


def store_boundaries(
    session: Session,
    rotations: Iterable[Rotation],
    loaded: Mapping[int, Schedule],
    now: datetime,
) -> None:
    """Store the coverage of these rotations at ``now``.

    Read ``rotations`` before ``loaded``, so that a change in between is noticed.
    """
    rows = []
    for rotation in rotations:
        covered, boundary = next_boundary(loaded[rotation.id], now)
        rows.append(
            {
                "rotation": rotation.id,
                "changes": rotation.schedule_changes,
                "is_covered": covered,
                "boundary": boundary,
            }
        )
    if rows:
        session.connection().execute(_STORE, rows)


def next_boundary(schedule: Schedule, now: datetime) -> tuple[bool, datetime]:
    """Whether somebody is on call, and a time until which coverage stays the same."""
    if on_call(schedule, now) is not None:
        return True, end_of_period(schedule, now)
    following = next(iter(shifts(schedule, now, now + HORIZON)), None)
    return False, following.start if following else now + HORIZON
