"""Rotations, and the revisions of their schedules."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import TargetKind
from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.domain.oncall.layers import Layer
from incidentrelay.domain.oncall.schedule import Schedule, rebase
from incidentrelay.models import Rotation, RotationLayer, RotationRevision, Route, Team
from incidentrelay.services.access import user_lookup
from incidentrelay.services.common import (
    audit,
    limits,
    references,
    resources,
    team_lookup,
    validation,
)
from incidentrelay.services.common.slugs import check_slug, with_slug
from incidentrelay.services.oncall import layers, schedules

_OWN: Mapping[str, validation.Check] = {
    "name": validation.NAME,
    "description": validation.DESCRIPTION,
    "enabled": validation.flag,
}
_SCHEDULE: Mapping[str, validation.Check] = {**layers.SINGLE, "layers": lambda value: value}


def create(
    session: Session,
    team: Team,
    data: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
    reminder_interval_minimum: int = 60,
) -> Rotation:
    """Create a rotation. Its first member is on call now; the turns run backwards too.

    ``data`` has either ``layers`` (see :mod:`layers`), or ``members``, ``kind`` (daily or
    weekly, the default) and other fields of a single layer.
    """
    table = {**_fields(reminder_interval_minimum), **_SCHEDULE, "slug": check_slug}
    values = validation.clean(with_slug(data), table, required=("name", "slug"))
    own, schedule = _split(values)
    duplicate = f"This team already has a rotation “{own['slug']}”."
    if team_lookup.has_slug(session, Rotation, team.id, own["slug"]):
        raise Conflict(duplicate)
    resources.lock_group(session, team.group_id)
    first = layers.number_layers(_layers(session, team.group_id, schedule, (), now), 0)
    rotation = Rotation(**own, team=team, team_id=team.id, created_at=now, updated_at=now)
    resources.insert_row(session, rotation, conflict=duplicate)
    _store(session, rotation, first, None, actor, now)
    diff = resources.given_fields({**own, "layers": _shown(session, first)})
    audit.record_team_change(session, actor, "create", team, rotation, diff, now=now)
    return rotation


def update(
    session: Session,
    rotation: Rotation,
    data: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
    reminder_interval_minimum: int = 60,
) -> Rotation:
    """Change the given fields; a changed schedule becomes a revision effective now.

    The past does not change. The person on call stays on call until the next handoff,
    unless they are removed.
    """
    table = {**_fields(reminder_interval_minimum), **_SCHEDULE}
    own, schedule = _split(validation.clean(resources.without_fixed(rotation, data), table))
    team = team_lookup.find_team(session, rotation)
    diff = resources.change_row(rotation, own)
    if schedule:
        resources.lock_group(session, team.group_id)
        diff |= _revise(session, rotation, team, schedule, actor, now)
    if diff:
        resources.save_row(session, rotation, now)
        audit.record_team_change(session, actor, "update", team, rotation, diff, now=now)
    return rotation


def delete(session: Session, rotation: Rotation, *, actor: Actor, now: datetime) -> None:
    """Delete the rotation and its history; raises Conflict while routes or policies use it."""
    team = team_lookup.find_team(session, rotation)
    routes = session.scalars(select(Route.slug).where(Route.rotation_id == rotation.id)).all()
    if routes:
        raise Conflict(f"Routes use this rotation ({', '.join(sorted(routes))}).")
    references.refuse_targets(
        session, team.group_id, {(TargetKind.ON_CALL, rotation.id)}, "The rotation"
    )
    resources.remove_row(session, rotation, conflict="A route uses this rotation.")
    audit.record_team_change(session, actor, "delete", team, rotation, {}, now=now)


def edit_rotation(
    session: Session, rotation: Rotation, data: Mapping[str, Any], *, now: datetime
) -> tuple[Schedule, tuple[Layer, ...] | None]:
    """The current schedule, and the layers that an update with ``data`` would put in effect.

    Writes nothing. ``data`` has schedule fields only. The layers are None if nothing changes.
    """
    old = _schedule(session, rotation)
    _, schedule = _split(validation.clean(data, _SCHEDULE))
    if not schedule:
        return old, None
    team = team_lookup.find_team(session, rotation)
    return old, _rebased(session, rotation, team, old, schedule, now)


def plan_rotation(
    session: Session, team: Team, data: Mapping[str, Any], *, now: datetime
) -> tuple[Layer, ...]:
    """The layers of a new rotation with these schedule fields. Writes nothing."""
    _, schedule = _split(validation.clean(data, _SCHEDULE))
    return layers.number_layers(_layers(session, team.group_id, schedule, (), now), 0)


def load_current_layers(session: Session, rotation_ids: Collection[int]) -> dict[int, list[Any]]:
    """The current layers of each rotation as JSON (see :mod:`layers`), in three statements."""
    latest = references.load_current_revisions().subquery()
    query = (
        select(latest.c.rotation_id, RotationLayer)
        .join(latest, latest.c.id == RotationLayer.revision_id)
        .where(latest.c.rotation_id.in_(rotation_ids))
        .order_by(RotationLayer.position)
    )
    current: dict[int, list[Layer]] = {rotation_id: [] for rotation_id in rotation_ids}
    for rotation_id, row in session.execute(query):
        current[rotation_id].append(schedules.layer_from_row(row))
    usernames = user_lookup.display_names(
        session, [person for each in current.values() for layer in each for person in layer.members]
    )
    return {
        rotation_id: layers.show_layers(each, usernames) for rotation_id, each in current.items()
    }


def _fields(minimum: int) -> dict[str, validation.Check]:
    def reminder_interval(value: Any) -> int:
        seconds: int = validation.number(*limits.REMINDER_INTERVAL)(value)
        if 0 < seconds < minimum:
            raise ValueError(f"Enter 0 for no reminders, or at least {minimum} seconds.")
        return seconds

    return {**_OWN, "reminder_interval": reminder_interval}


def _split(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    schedule = {field: value for field, value in values.items() if field in _SCHEDULE}
    if "layers" in schedule and len(schedule) > 1:
        others = sorted(set(schedule) - {"layers"})
        raise InvalidInput.of(others[0], "With “layers”, set this in each layer.")
    return {field: value for field, value in values.items() if field not in schedule}, schedule


def _layers(
    session: Session,
    group_id: int,
    schedule: Mapping[str, Any],
    known: Sequence[Layer],
    now: datetime,
) -> tuple[Layer, ...]:
    if "layers" in schedule:
        return layers.read_layers(session, group_id, schedule["layers"], now=now, known=known)
    return layers.single_layer(session, group_id, schedule, now=now, known=known)


def _revise(
    session: Session,
    rotation: Rotation,
    team: Team,
    schedule: Mapping[str, Any],
    actor: Actor,
    now: datetime,
) -> dict[str, list[Any]]:
    old = _schedule(session, rotation)
    new = _rebased(session, rotation, team, old, schedule, now)
    if new is None:
        return {}
    _store(session, rotation, new, now, actor, now)
    return {"layers": [_shown(session, _known(old)), _shown(session, new)]}


def _rebased(
    session: Session,
    rotation: Rotation,
    team: Team,
    old: Schedule,
    schedule: Mapping[str, Any],
    now: datetime,
) -> tuple[Layer, ...] | None:
    """The layers in effect from now on; None if the edit changes nothing."""
    known = _known(old)
    edited = _layers(session, team.group_id, schedule, known, now)
    if edited == known:
        return None
    highest = session.scalar(
        select(func.max(RotationLayer.key))
        .join(RotationRevision, RotationRevision.id == RotationLayer.revision_id)
        .where(RotationRevision.rotation_id == rotation.id)
    )
    return rebase(old, layers.number_layers(edited, highest or 0), now)


def _schedule(session: Session, rotation: Rotation) -> Schedule:
    return schedules.load_schedule(session, rotation.id)


def _known(schedule: Schedule) -> tuple[Layer, ...]:
    return schedule.revisions[-1].layers if schedule.revisions else ()


def _store(
    session: Session,
    rotation: Rotation,
    new: Sequence[Layer],
    effective_from: datetime | None,
    actor: Actor,
    now: datetime,
) -> None:
    schedules.add_revision(
        session,
        rotation,
        new,
        effective_from=effective_from,
        created_by_id=actor.user_id,
        now=now,
    )


def _shown(session: Session, shown: Sequence[Layer]) -> list[dict[str, Any]]:
    usernames = user_lookup.display_names(
        session, [person for layer in shown for person in layer.members]
    )
    return layers.show_layers(shown, usernames)
