"""Loads the calendar of all visible rotations in a constant number of statements."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, contains_eager

from incidentrelay.domain.calendar_grid import MOST_DAYS, GridBlock, grid_blocks, whole_shifts
from incidentrelay.domain.oncall.schedule import Schedule
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Group, Rotation, Team, User
from incidentrelay.services.access.visibility import Memberships, scope
from incidentrelay.services.oncall import schedules

# Nobody reads more than this on one page, and browsers become slow.
MOST_ROTATIONS = 50
MOST_BLOCKS = 600
_MOST_CHOICES = 500


@dataclass(frozen=True, slots=True)
class CalendarFilter:
    """Restricts the calendar to [start, end), and to a team and rotation by slug ("": all).

    ``rotation`` may include its team: ``infrastructure/primary``.
    """

    start: datetime
    end: datetime
    team: str = ""
    rotation: str = ""


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """One rotation, with its team and group loaded, and its shifts and gaps."""

    rotation: Rotation
    blocks: Sequence[GridBlock]


@dataclass(frozen=True, slots=True)
class CalendarPage:
    """``choices`` are the rotations one may choose, with their teams and groups loaded.

    ``people`` maps all user ids in ``rows`` to names. ``zones`` are the layers' zones.
    ``cut`` means there are more rotations than ``rows``.
    """

    rows: Sequence[CalendarRow]
    choices: Sequence[Rotation]
    people: Mapping[int, str]
    zones: Collection[str]
    cut: bool


def load_calendar(
    session: Session, memberships: Memberships, wanted: CalendarFilter
) -> CalendarPage:
    """Load the enabled rotations of active teams that match ``wanted``, by team and name.

    At most 50 rotations, fewer if they have many shifts. Raises ValueError for more than
    six weeks.
    """
    # Days with a clock change have up to a few hours more than 24.
    if (wanted.end - wanted.start).days > MOST_DAYS:
        raise ValueError(f"A calendar has at most {MOST_DAYS} days.")
    rotations = _rotations(session, memberships, MOST_ROTATIONS + 1, *_narrowed(wanted))
    loaded = schedules.load_schedules(
        session, [rotation.id for rotation in rotations[:MOST_ROTATIONS]]
    )
    rows = _rows(rotations[:MOST_ROTATIONS], loaded, wanted)
    return CalendarPage(
        rows=rows,
        choices=calendar_choices(session, memberships),
        people=_people(session, rows),
        zones={
            layer.zone
            for schedule in loaded.values()
            for revision in schedule.revisions[-1:]
            for layer in revision.layers
        },
        cut=len(rows) < len(rotations),
    )


def calendar_choices(session: Session, memberships: Memberships) -> Sequence[Rotation]:
    """The rotations that the calendar can show, each with its team and group loaded."""
    return _rotations(session, memberships, _MOST_CHOICES)


def _rotations(
    session: Session, memberships: Memberships, most: int, *clauses: Any
) -> list[Rotation]:
    query: Select[Any] = (
        select(Rotation)
        .join(Rotation.team)
        .join(Team.group)
        .options(contains_eager(Rotation.team).contains_eager(Team.group))
        .where(Rotation.enabled, Team.active, Group.active, *clauses)
        .order_by(Team.name, Team.id, Rotation.name, Rotation.id)
        .limit(most)
    )
    return list(session.scalars(scope(query, Rotation, memberships, Permission.VIEW)))


def _narrowed(wanted: CalendarFilter) -> list[Any]:
    team, _, slug = wanted.rotation.rpartition("/")
    clauses = [Team.slug == name for name in (wanted.team, team) if name]
    return [*clauses, Rotation.slug == slug] if slug else clauses


def _rows(
    rotations: Sequence[Rotation], loaded: Mapping[int, Schedule], wanted: CalendarFilter
) -> list[CalendarRow]:
    """As many rows as fit into MOST_BLOCKS blocks, but at least one."""
    rows: list[CalendarRow] = []
    count = 0
    for rotation in rotations:
        schedule = loaded.get(rotation.id, schedules.NO_SCHEDULE)
        planned = whole_shifts(schedule, wanted.start, wanted.end)
        filled = grid_blocks(planned, wanted.start, wanted.end)
        count += len(filled)
        if rows and count > MOST_BLOCKS:
            break
        rows.append(CalendarRow(rotation, filled))
    return rows


def _people(session: Session, rows: Sequence[CalendarRow]) -> dict[int, str]:
    ids = {block.user_id for row in rows for block in row.blocks if block.user_id is not None}
    query = select(User.id, User.display_name).where(User.id.in_(ids))
    return dict(session.execute(query).all()) if ids else {}
