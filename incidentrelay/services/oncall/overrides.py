"""Overrides: one person takes over a rotation for a time. They never change the past."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.models import Rotation, RotationOverride, Team, User
from incidentrelay.services.access import user_lookup
from incidentrelay.services.common import audit, limits, resources, team_lookup, validation
from incidentrelay.services.oncall import versions as schedule_versions

LONGEST = timedelta(days=366)

_FIELDS: Mapping[str, validation.Check] = {
    "user": validation.line(*limits.USERNAME),
    "starts_at": validation.instant,
    "ends_at": validation.instant,
    "reason": validation.DESCRIPTION,
}


def create(
    session: Session,
    rotation: Rotation,
    data: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
    import_key: str | None = None,
) -> RotationOverride:
    """Put ``user`` on call during [starts_at, ends_at), from now on at the earliest."""
    team = team_lookup.find_team(session, rotation)
    resources.lock_group(session, team.group_id)
    user, values = check_override(session, team, data, now)
    override = RotationOverride(
        **values,
        rotation=rotation,
        rotation_id=rotation.id,
        user=user,
        user_id=user.id,
        import_key=import_key,
        created_by_id=actor.user_id,
        created_at=now,
        updated_at=now,
    )
    resources.insert_row(session, override, conflict="This override already exists.")
    schedule_versions.bump_rotation(session, rotation.id, now)
    diff = resources.given_fields({"user": user.username, **values})
    audit.record_team_change(
        session, actor, "create", team, override, diff, now=now, name=_name(rotation, override)
    )
    return override


def check_override(
    session: Session, team: Team, data: Mapping[str, Any], now: datetime
) -> tuple[User, dict[str, Any]]:
    """Validate a new override; returns the person and the other values. Writes nothing."""
    values = validation.clean(
        {"starts_at": now, **data}, _FIELDS, required=("user", "starts_at", "ends_at")
    )
    values["starts_at"] = max(values["starts_at"], now)
    _check_window(values["starts_at"], values["ends_at"], now)
    name = values.pop("user")
    return user_lookup.find_reachable_member(session, team.group_id, name, "user"), values


def update(
    session: Session,
    override: RotationOverride,
    data: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
) -> RotationOverride:
    """Change the given fields. Once it has started, only the end and the reason may change.

    Raises Conflict for an override that has ended.
    """
    values = validation.clean(data, _FIELDS)
    rotation = session.get_one(Rotation, override.rotation_id)
    team = team_lookup.find_team(session, rotation)
    _refuse_ended(override, now)
    if "user" in values:
        resources.lock_group(session, team.group_id)
        user = user_lookup.find_reachable_member(session, team.group_id, values.pop("user"), "user")
        if user.id != override.user_id:
            values |= {"user": user, "user_id": user.id}
    _check_times(override, values, now)
    diff = _change_override(session, override, values)
    if diff:
        resources.save_row(session, override, now)
        schedule_versions.bump_rotation(session, rotation.id, now)
        name = _name(rotation, override)
        audit.record_team_change(session, actor, "update", team, override, diff, now=now, name=name)
    return override


def _change_override(
    session: Session, override: RotationOverride, values: Mapping[str, Any]
) -> dict[str, list[Any]]:
    """Set the values; returns the audit diff, with usernames instead of ids."""
    previous = session.get_one(User, override.user_id)
    diff = resources.change_row(override, {k: v for k, v in values.items() if k != "user"})
    if "user" in values:
        override.user = values["user"]
        diff["user"] = [previous.username, override.user.username]
        del diff["user_id"]
    return diff


def delete(session: Session, override: RotationOverride, *, actor: Actor, now: datetime) -> None:
    """Delete the override if it has not started; otherwise end it now.

    Raises Conflict for an override that has ended.
    """
    rotation = session.get_one(Rotation, override.rotation_id)
    team = team_lookup.find_team(session, rotation)
    _refuse_ended(override, now)
    name = _name(rotation, override)
    if override.starts_at < now:
        diff = resources.change_row(override, {"ends_at": now})
        resources.save_row(session, override, now)
    else:
        diff = {}
        resources.remove_row(session, override, conflict="This override is still needed.")
    schedule_versions.bump_rotation(session, rotation.id, now)
    audit.record_team_change(session, actor, "delete", team, override, diff, now=now, name=name)


def _refuse_ended(override: RotationOverride, now: datetime) -> None:
    if override.ends_at <= now:
        raise Conflict("This override has ended and can no longer be changed.")


def _check_times(override: RotationOverride, values: dict[str, Any], now: datetime) -> None:
    starts_at = values.get("starts_at", override.starts_at)
    if override.starts_at < now and (starts_at != override.starts_at or "user_id" in values):
        raise Conflict("This override has started; only its end and reason can be changed.")
    if starts_at != override.starts_at:
        values["starts_at"] = starts_at = max(starts_at, now)
    if "starts_at" in values or "ends_at" in values:
        _check_window(starts_at, values.get("ends_at", override.ends_at), now)


def _check_window(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    if ends_at <= now:
        raise InvalidInput.of("ends_at", "This is in the past.")
    if ends_at <= starts_at:
        raise InvalidInput.of("ends_at", "The end must be after the start.")
    if ends_at - starts_at > LONGEST:
        raise InvalidInput.of("ends_at", f"An override lasts at most {LONGEST.days} days.")


def _name(rotation: Rotation, override: RotationOverride) -> str:
    return f"{rotation.slug}/{override.id}"
