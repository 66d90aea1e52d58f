"""Schedules: from rows to the values of the on-call engine, and back."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, time
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from incidentrelay.domain.oncall import Layer, Override, Revision, Schedule, Window
from incidentrelay.domain.revisions import Away, without
from incidentrelay.models import (
    GroupMember,
    Rotation,
    RotationLayer,
    RotationOverride,
    RotationRevision,
    Team,
    User,
)
from incidentrelay.services import absences, schedule_changes


def load(session: Session, rotation_ids: Collection[int]) -> dict[int, Schedule]:
    """The schedule of each rotation, in at most six statements however many there are.

    People who are not active, or no longer members of the rotation's group, are not on
    call since they left; what they had before is history and stays as it was. Where
    nobody knows when they left, they did when the newest revision began. Ids that do
    not exist are left out.
    """
    if not rotation_ids:
        return {}
    groups = dict(
        session.execute(
            select(Rotation.id, Team.group_id)
            .join(Team, Team.id == Rotation.team_id)
            .where(Rotation.id.in_(rotation_ids))
        ).all()
    )
    revisions = _revisions(session, rotation_ids)
    overrides = _overrides(session, rotation_ids)
    people = {
        user_id
        for rotation_id in groups
        for user_id in _named(revisions[rotation_id], overrides[rotation_id])
    }
    active = _active(session, people, set(groups.values()))
    away = absences.load(session, people, set(groups.values()))
    return {
        rotation_id: _schedule(
            revisions[rotation_id],
            overrides[rotation_id],
            {user_id for user_id in people if (group_id, user_id) in active},
            [*away[None], *away[group_id]],
        )
        for rotation_id, group_id in groups.items()
    }


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
    schedule_changes.of_rotation(session, rotation.id, now)
    return revision


def wall_time(value: time) -> str:
    """A time of day as it is stored in windows and shown: ``09:00``."""
    return value.isoformat("seconds" if value.second else "minutes")


def _revisions(session: Session, ids: Collection[int]) -> dict[int, list[RotationRevision]]:
    found: dict[int, list[RotationRevision]] = defaultdict(list)
    query = (
        select(RotationRevision)
        .where(RotationRevision.rotation_id.in_(ids))
        .options(selectinload(RotationRevision.layers))
        .order_by(RotationRevision.effective_from.nulls_first(), RotationRevision.id)
    )
    for revision in session.scalars(query):
        found[revision.rotation_id].append(revision)
    return found


def _overrides(session: Session, ids: Collection[int]) -> dict[int, list[Override]]:
    found: dict[int, list[Override]] = defaultdict(list)
    query = select(
        RotationOverride.rotation_id,
        RotationOverride.id,
        RotationOverride.user_id,
        RotationOverride.starts_at,
        RotationOverride.ends_at,
    ).where(RotationOverride.rotation_id.in_(ids))
    for rotation_id, override_id, user_id, start, end in session.execute(query):
        found[rotation_id].append(Override(override_id, user_id, start, end))
    return found


def _active(session: Session, people: set[int], groups: set[int]) -> set[tuple[int, int]]:
    """(group, user) of everybody who can be on call."""
    query = (
        select(GroupMember.group_id, GroupMember.user_id)
        .join(User, User.id == GroupMember.user_id)
        .where(GroupMember.group_id.in_(groups), GroupMember.user_id.in_(people), User.active)
    )
    return set(session.execute(query)) if people else set()


def _named(revisions: Iterable[RotationRevision], overrides: Iterable[Override]) -> set[int]:
    named = {override.user_id for override in overrides}
    for revision in revisions:
        for layer in revision.layers:
            named.update(layer.members)
    return named


def _schedule(
    revisions: Sequence[RotationRevision],
    overrides: Sequence[Override],
    active: set[int],
    known: Sequence[Away],
) -> Schedule:
    named = _named(revisions, overrides)
    newest = revisions[-1].effective_from if revisions else None
    # Whoever is active now is so whatever was written: pages must reach somebody.
    away = [one for one in known if one.user_id in named]
    away = [one for one in away if one.until is not None or one.user_id not in active]
    since_known = {one.user_id for one in away if one.until is None}
    away += [Away(user_id, newest, None) for user_id in named - active - since_known]
    stored = [
        Revision(revision.effective_from, tuple(layer_of(row) for row in revision.layers))
        for revision in revisions
    ]
    return Schedule(revisions=without(stored, away), overrides=tuple(overrides))


def layer_of(row: RotationLayer) -> Layer:
    """One stored layer as a value; its key is the ``id``."""
    return Layer(
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
                "opens": wall_time(window.opens),
                "closes": wall_time(window.closes),
            }
            for window in layer.windows
        ],
        turn_offset=layer.turn_offset,
    )
