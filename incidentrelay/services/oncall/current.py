"""Lists who is on call, from the stored schedules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.local_time import LATEST
from incidentrelay.domain.oncall.schedule import Schedule
from incidentrelay.domain.oncall.shifts import Shift, on_call, shifts
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Group, Rotation, Team, User
from incidentrelay.services.access.visibility import Memberships, scope
from incidentrelay.services.oncall import schedules

LONGEST = timedelta(days=400)
MAX_ROTATIONS = 300
# How far ahead to look for the person after a gap.
_HORIZON = timedelta(days=60)
_AT_ONCE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class CurrentShift:
    """Who is on call in a rotation at an instant, and who is next.

    ``user``, ``since`` and ``until`` are None if nobody is on call; ``next_user`` and
    ``next_at`` are None if nobody follows within two months.
    """

    rotation: Rotation
    team: Team
    user: User | None
    since: datetime | None
    until: datetime | None
    next_user: User | None
    next_at: datetime | None
    override: bool


def who_is_on_call(
    session: Session,
    rotations: Sequence[Rotation],
    at: datetime,
    loaded: Mapping[int, Schedule] | None = None,
) -> list[CurrentShift]:
    """Load who is on call and next in each rotation, in a constant number of statements.

    ``loaded`` are their schedules, if known.
    """
    if loaded is None:
        loaded = schedules.load_schedules(session, [rotation.id for rotation in rotations])
    pairs = {
        rotation.id: _now_and_next(loaded[rotation.id], at)
        for rotation in rotations
        if rotation.id in loaded
    }
    teams = _teams(session, rotations)
    users = _users(session, [shift for pair in pairs.values() for shift in pair])
    return [
        _row(rotation, teams[rotation.team_id], users, *pairs.get(rotation.id, (None, None)))
        for rotation in rotations
    ]


def list_on_call(session: Session, memberships: Memberships, now: datetime) -> list[CurrentShift]:
    """The enabled rotations of active teams, by team and name, at most MAX_ROTATIONS."""
    query = (
        select(Rotation)
        .join(Team, Team.id == Rotation.team_id)
        .join(Group, Group.id == Team.group_id)
        .where(Rotation.enabled, Team.active, Group.active)
        .order_by(Team.name, Team.id, Rotation.name, Rotation.id)
        .limit(MAX_ROTATIONS)
    )
    rotations = list(session.scalars(scope(query, Rotation, memberships, Permission.VIEW)))
    return who_is_on_call(session, rotations, now)


def apply_filter(statement: Select[Any], wanted: Mapping[str, Any]) -> Select[Any]:
    """Restrict ``statement`` to the enabled rotations of the ``team``, ``group``, ``rotation``."""
    statement = statement.where(Rotation.enabled)
    if "team" in wanted:
        statement = statement.where(Rotation.team.has(Team.slug == wanted["team"]))
    if "group" in wanted:
        in_group = Team.group.has(Group.slug == wanted["group"])
        statement = statement.where(Rotation.team.has(in_group))
    if "rotation" in wanted:
        statement = statement.where(Rotation.slug == wanted["rotation"])
    return statement


def rotation_shifts(
    session: Session, rotation: Rotation, start: datetime, end: datetime
) -> list[Shift]:
    """The shifts of [start, end), clipped; raises InvalidInput for more than 400 days."""
    if end - start > LONGEST:
        raise InvalidInput.of("end", f"The period may have at most {LONGEST.days} days.")
    schedule = schedules.load_schedule(session, rotation.id)
    return shifts(schedule, start, end)


def _now_and_next(schedule: Schedule, at: datetime) -> tuple[Shift | None, Shift | None]:
    current = on_call(schedule, at)
    after = current.end if current else at
    if after >= LATEST:
        return current, None
    # Usually somebody follows at once; only after a gap is the longer search needed.
    for horizon in (_AT_ONCE, _HORIZON) if current else (_HORIZON,):
        following = shifts(schedule, after, min(after + horizon, LATEST))
        if following:
            return current, following[0]
    return current, None


def _row(
    rotation: Rotation,
    team: Team,
    users: dict[int, User],
    current: Shift | None,
    following: Shift | None,
) -> CurrentShift:
    return CurrentShift(
        rotation=rotation,
        team=team,
        user=users[current.user_id] if current else None,
        since=current.start if current else None,
        until=current.end if current else None,
        next_user=users[following.user_id] if following else None,
        next_at=following.start if following else None,
        override=current is not None and current.override_id is not None,
    )


def _teams(session: Session, rotations: Sequence[Rotation]) -> dict[int, Team]:
    ids = {rotation.team_id for rotation in rotations}
    query = select(Team).where(Team.id.in_(ids))
    return {team.id: team for team in session.scalars(query)} if ids else {}


def _users(session: Session, shifts_of_users: Sequence[Shift | None]) -> dict[int, User]:
    ids = {shift.user_id for shift in shifts_of_users if shift is not None}
    query = select(User).where(User.id.in_(ids))
    return {user.id: user for user in session.scalars(query)} if ids else {}
