"""Loads the pages of rotations in a constant number of statements."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager, joinedload

from incidentrelay.domain.calendar_grid import GridBlock, grid_blocks, whole_shifts
from incidentrelay.domain.oncall.coverage import CoverageReport
from incidentrelay.domain.oncall.layers import Layer
from incidentrelay.domain.oncall.restrictions import Interval
from incidentrelay.domain.oncall.schedule import Schedule
from incidentrelay.domain.oncall.shifts import Shift, gaps, shifts
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Group, GroupMember, Rotation, RotationOverride, Team, User
from incidentrelay.services.access.visibility import Memberships, scope
from incidentrelay.services.oncall import current as on_call_now
from incidentrelay.services.oncall import previews, schedules

MAX_ROTATIONS = 300
MOST_BLOCKS = 20
_MOST_PEOPLE = 1000
_MOST_OVERRIDES = 100


@dataclass(frozen=True, slots=True)
class RotationListing:
    """A rotation with its current shift, and its first gap in the next 14 days."""

    covered: on_call_now.CurrentShift
    gap: Interval | None


@dataclass(frozen=True, slots=True)
class RotationPage:
    """One rotation. ``layers`` are lowest first.

    ``blocks`` are the shifts and gaps from now on; ``cut`` means there are more in the
    next 28 days. ``gaps`` cover the next 14 days. ``overrides`` have not ended.
    ``people`` has everybody mentioned in any of it, by id.
    """

    layers: Sequence[Layer]
    blocks: Sequence[GridBlock]
    cut: bool
    gaps: Sequence[Interval]
    overrides: Sequence[RotationOverride]
    quality: CoverageReport
    people: Mapping[int, User]


def list_rotations(
    session: Session, memberships: Memberships, now: datetime
) -> list[RotationListing]:
    """The visible rotations of active teams, paused ones too, by team and name; at most 300."""
    query = (
        select(Rotation)
        .join(Rotation.team)
        .join(Team.group)
        .options(contains_eager(Rotation.team).contains_eager(Team.group))
        .where(Team.active, Group.active)
        .order_by(Team.name, Team.id, Rotation.name, Rotation.id)
        .limit(MAX_ROTATIONS)
    )
    rotations = list(session.scalars(scope(query, Rotation, memberships, Permission.VIEW)))
    loaded = schedules.load_schedules(session, [rotation.id for rotation in rotations])
    return [
        RotationListing(row, _first_gap(loaded.get(row.rotation.id, schedules.NO_SCHEDULE), now))
        for row in on_call_now.who_is_on_call(session, rotations, now, loaded)
    ]


def load_rotation_page(
    session: Session, rotation: Rotation, now: datetime, *, reachable: previews.ReachableLookup
) -> RotationPage:
    """Load everything on the page of a rotation."""
    schedule = schedules.load_schedule(session, rotation.id)
    end = now + previews.DEFAULT_SPAN
    planned = whole_shifts(schedule, now, end)
    filled = grid_blocks(planned, now, end)
    layers = load_layers(schedule)
    ids = {user_id for layer in layers for user_id in layer.members}
    report, _ = previews.report_coverage(session, rotation, now, end, reachable=reachable)
    return RotationPage(
        layers=layers,
        blocks=filled[:MOST_BLOCKS],
        cut=len(filled) > MOST_BLOCKS,
        gaps=gaps(planned, now, now + previews.SOON),
        overrides=_overrides(session, rotation, now),
        quality=report,
        people=list_people(session, ids | {shift.user_id for shift in planned}),
    )


def list_people(session: Session, ids: Collection[int]) -> dict[int, User]:
    """The users with these ids, by id."""
    query = select(User).where(User.id.in_(ids))
    return {user.id: user for user in session.scalars(query)} if ids else {}


def list_candidates(session: Session, team: Team) -> list[User]:
    """The people who may be on call for the team: active members of its group, by name."""
    query = (
        select(User)
        .join(GroupMember, GroupMember.user_id == User.id)
        .where(GroupMember.group_id == team.group_id, User.active)
        .order_by(User.display_name, User.id)
        .limit(_MOST_PEOPLE)
    )
    return list(session.scalars(query))


def list_shifts(schedule: Schedule, user_id: int, now: datetime) -> list[Shift]:
    """A person's shifts in the next 92 days, including the current one."""
    upcoming = whole_shifts(schedule, now, now + previews.LONGEST)
    return [shift for shift in upcoming if shift.user_id == user_id]


def usual_zone(layers: Sequence[Layer]) -> str:
    """The zone of the lowest layer, which covers most of the time."""
    return layers[0].zone if layers else "UTC"


def load_layers(schedule: Schedule) -> Sequence[Layer]:
    """The current layers, lowest first."""
    return schedule.revisions[-1].layers if schedule.revisions else ()


def _first_gap(schedule: Schedule, now: datetime) -> Interval | None:
    end = now + previews.SOON
    return next(iter(gaps(shifts(schedule, now, end), now, end)), None)


def _overrides(session: Session, rotation: Rotation, now: datetime) -> list[RotationOverride]:
    query = (
        select(RotationOverride)
        .where(RotationOverride.rotation_id == rotation.id, RotationOverride.ends_at > now)
        .options(joinedload(RotationOverride.user))
        .order_by(RotationOverride.starts_at, RotationOverride.id)
        .limit(_MOST_OVERRIDES)
    )
    return list(session.scalars(query))
