"""Converts schedules between rows and the values of the on-call engine."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import BindParameter, Executable, Row, bindparam, select
from sqlalchemy.orm import Session

from incidentrelay.domain.oncall.layers import Layer
from incidentrelay.domain.oncall.overrides import Override
from incidentrelay.domain.oncall.restrictions import Window
from incidentrelay.domain.oncall.schedule import AbsencePeriod, Revision, Schedule, exclude_absent
from incidentrelay.models import (
    Rotation,
    RotationLayer,
    RotationOverride,
    RotationRevision,
    Team,
)
from incidentrelay.services.oncall import absences
from incidentrelay.services.oncall import versions as schedule_versions

NO_SCHEDULE = Schedule(())
_IDS: BindParameter[int] = bindparam("ids", expanding=True)
_LAYER = (
    RotationLayer.key,
    RotationLayer.name,
    RotationLayer.members,
    RotationLayer.unit,
    RotationLayer.length,
    RotationLayer.handoff_time,
    RotationLayer.handoff_weekday,
    RotationLayer.zone,
    RotationLayer.start_date,
    RotationLayer.windows,
    RotationLayer.turn_offset,
)
# Outer joins: a rotation may have no revision, and a revision no layers.
_STORED = (
    select(
        Rotation.id.label("rotation_id"),
        Team.group_id,
        RotationRevision.id.label("revision_id"),
        RotationRevision.effective_from,
        RotationRevision.created_at,
        *_LAYER,
    )
    .join(Team, Team.id == Rotation.team_id)
    .outerjoin(RotationRevision, RotationRevision.rotation_id == Rotation.id)
    .outerjoin(RotationLayer, RotationLayer.revision_id == RotationRevision.id)
    .where(Rotation.id.in_(_IDS))
    .order_by(
        RotationRevision.effective_from.nulls_first(), RotationRevision.id, RotationLayer.position
    )
)
_OVERRIDES = select(
    RotationOverride.rotation_id,
    RotationOverride.id,
    RotationOverride.user_id,
    RotationOverride.starts_at,
    RotationOverride.ends_at,
).where(RotationOverride.rotation_id.in_(_IDS))


@dataclass(slots=True)
class _Stored:
    """A rotation's rows as values, before absent people are excluded.

    ``known_since`` is when the newest revision took effect or, if it is still to come,
    was created. People with an unknown leaving date are excluded from then on.
    """

    group_id: int
    known_since: datetime | None = None
    revisions: list[Revision] = field(default_factory=list)
    overrides: list[Override] = field(default_factory=list)

    @property
    def people(self) -> set[int]:
        named = {override.user_id for override in self.overrides}
        for revision in self.revisions:
            for layer in revision.layers:
                named.update(layer.members)
        return named


def load_schedules(session: Session, rotation_ids: Collection[int]) -> dict[int, Schedule]:
    """Load the schedule of each rotation, in three statements. Unknown ids are left out.

    People who are inactive or left the rotation's group are off call since they left;
    their earlier shifts stay. If the time they left is unknown, it is the start of the
    newest revision.
    """
    return _load(session, _STORED, _OVERRIDES, {"ids": list(rotation_ids)})


def load_schedule(session: Session, rotation_id: int) -> Schedule:
    """The schedule of one rotation; empty if it has none."""
    return load_schedules(session, [rotation_id]).get(rotation_id, NO_SCHEDULE)


def load_paging_schedules(
    session: Session, rotation_ids: Collection[int], now: datetime
) -> dict[int, Schedule]:
    """Load only what new pages need: no paused rotations, no overrides that have ended."""
    parameters = {"ids": list(rotation_ids), "now": now}
    return _load(session, _STORED_IN_FORCE, _OVERRIDES_TO_COME, parameters)


_STORED_IN_FORCE = _STORED.where(Rotation.enabled)
_OVERRIDES_TO_COME = _OVERRIDES.where(RotationOverride.ends_at > bindparam("now"))


def _load(
    session: Session, stored: Executable, overrides: Executable, parameters: dict[str, Any]
) -> dict[int, Schedule]:
    if not parameters["ids"]:
        return {}
    rotations = _rotations(session.execute(stored, parameters))
    for rotation_id, override_id, user_id, start, end in session.execute(overrides, parameters):
        if rotation_id in rotations:
            rotations[rotation_id].overrides.append(Override(override_id, user_id, start, end))
    groups = {rotation.group_id for rotation in rotations.values()}
    people = {user_id for rotation in rotations.values() for user_id in rotation.people}
    active, away = absences.load_absences(session, people, groups)
    return {
        rotation_id: _schedule(
            rotation,
            {user_id for group_id, user_id in active if group_id == rotation.group_id},
            [*away[None], *away[rotation.group_id]],
        )
        for rotation_id, rotation in rotations.items()
    }


def _rotations(rows: Iterable[Row[Any]]) -> dict[int, _Stored]:
    """Collect rows (one per layer, in the order of the revisions) by rotation id."""
    rotations: dict[int, _Stored] = {}
    for (rotation_id, _), group in groupby(rows, key=attrgetter("rotation_id", "revision_id")):
        first, *others = group
        rotation = rotations.setdefault(rotation_id, _Stored(first.group_id))
        if first.revision_id is not None:
            layers = [layer_from_row(row) for row in (first, *others) if row.key is not None]
            begin = first.effective_from
            rotation.revisions.append(Revision(begin, tuple(layers)))
            rotation.known_since = begin and min(begin, first.created_at)
    return rotations


def add_revision(
    session: Session,
    rotation: Rotation,
    layers: Sequence[Layer],
    *,
    effective_from: datetime | None,
    created_by_id: int | None,
    now: datetime,
) -> RotationRevision:
    """Store ``layers`` (lowest first, each with its key as ``id``) as the newest revision."""
    revision = RotationRevision(
        rotation_id=rotation.id,
        effective_from=effective_from,
        created_at=now,
        created_by_id=created_by_id,
        layers=[_row(position, layer) for position, layer in enumerate(layers)],
    )
    session.add(revision)
    schedule_versions.bump_rotation(session, rotation.id, now)
    return revision


def format_wall_time(value: time) -> str:
    """Format a time of day as in stored windows and the API: ``09:00``."""
    return value.isoformat("seconds" if value.second else "minutes")


def _schedule(rotation: _Stored, active: set[int], known: Sequence[AbsencePeriod]) -> Schedule:
    named = rotation.people
    # An active person is on call even if an absence was left open: pages must reach somebody.
    away = [one for one in known if one.user_id in named]
    away = [one for one in away if one.until is not None or one.user_id not in active]
    since_known = {one.user_id for one in away if one.until is None}
    away += [
        AbsencePeriod(user_id, rotation.known_since, None)
        for user_id in named - active - since_known
    ]
    return Schedule(
        revisions=exclude_absent(rotation.revisions, away), overrides=tuple(rotation.overrides)
    )


def layer_from_row(row: RotationLayer | Row[Any]) -> Layer:
    """One stored layer as a value; its key is the ``id``."""
    layer = Layer(
        id=row.key,
        name=row.name,
        members=tuple(row.members),
        unit=row.unit,
        length=row.length,
        handoff_time=row.handoff_time,
        handoff_weekday=row.handoff_weekday,
        zone=row.zone,
        start_date=row.start_date,
        windows=tuple(_window(window) for window in row.windows),
        turn_offset=row.turn_offset,
    )
    return _known(layer)


@lru_cache(maxsize=8192)
def _known(layer: Layer) -> Layer:
    """The same object for equal layers: caches find it without comparing each field."""
    return layer


def _window(stored: dict[str, Any]) -> Window:
    return Window(
        stored["weekday"],
        time.fromisoformat(stored["opens"]),
        time.fromisoformat(stored["closes"]),
    )


def _row(position: int, layer: Layer) -> RotationLayer:
    return RotationLayer(
        position=position,
        key=layer.id,
        name=layer.name,
        members=list(layer.members),
        unit=layer.unit,
        length=layer.length,
        handoff_time=layer.handoff_time,
        handoff_weekday=layer.handoff_weekday,
        zone=layer.zone,
        start_date=layer.start_date,
        windows=[
            {
                "weekday": window.weekday,
                "opens": format_wall_time(window.opens),
                "closes": format_wall_time(window.closes),
            }
            for window in layer.windows
        ],
        turn_offset=layer.turn_offset,
    )
