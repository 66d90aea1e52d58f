"""Teams: who owns rotations, routes, channels, policies, silences and alerts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import AlertStatus, TargetKind
from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.models import Alert, Base, Channel, Group, Policy, Rotation, Route, Team, User
from incidentrelay.services.access import user_lookup
from incidentrelay.services.common import audit, limits, references, resources, validation
from incidentrelay.services.common.slugs import check_slug, with_slug

_FIELDS: Mapping[str, validation.Check] = {
    "name": validation.NAME,
    "description": validation.DESCRIPTION,
    "active": validation.flag,
    "escalation_enabled": validation.flag,
    "escalation_after_reminders": validation.number(*limits.REMINDERS_BEFORE_ESCALATION),
    "ack_timeout": validation.optional(validation.number(*limits.ACK_TIMEOUT)),
    "ack_covers": validation.number(*limits.ACK_COVERS),
    "fallback_user": validation.optional(validation.line(*limits.USERNAME)),
    "fallback_channel": validation.optional(validation.line(*limits.SLUG)),
}


def create(
    session: Session, group: Group, data: Mapping[str, Any], *, actor: Actor, now: datetime
) -> Team:
    """Create a team; raises Conflict if the group has one with this slug."""
    values = validation.clean(
        with_slug(data), {**_FIELDS, "slug": check_slug}, required=("name", "slug")
    )
    conflict = f"There is a team “{values['slug']}” in this group already."
    twin = select(Team.id).where(Team.group_id == group.id, Team.slug == values["slug"])
    if session.scalar(twin) is not None:
        raise Conflict(conflict)
    stored = _with_fallbacks(session, group.id, None, values)
    team = Team(**stored, group=group, group_id=group.id, created_at=now, updated_at=now)
    resources.insert_row(session, team, conflict=conflict)
    audit.record_change(
        session, actor, "create", team, resources.given_fields(values), now=now, group_id=group.id
    )
    return team


def update(
    session: Session, team: Team, data: Mapping[str, Any], *, actor: Actor, now: datetime
) -> Team:
    """Change the given fields; None removes a fallback contact or ``ack_timeout``."""
    values = validation.clean(resources.without_fixed(team, data), _FIELDS)
    diff = resources.change_row(team, _with_fallbacks(session, team.group_id, team.id, values))
    if diff:
        resources.save_row(session, team, now)
        audit.record_change(session, actor, "update", team, diff, now=now, group_id=team.group_id)
    return team


def delete(session: Session, team: Team, *, actor: Actor, now: datetime) -> None:
    """Delete the team and everything it owns, including resolved alerts.

    Raises Conflict while it has routes or open alerts, and while a policy of another team
    notifies it or something it owns.
    """
    _refuse_in_use(session, team)
    resources.change_row(team, {"fallback_channel_id": None, "fallback_user_id": None})
    resources.save_row(session, team, now)
    for model in (Alert, Policy, Rotation, Channel):
        session.execute(delete_rows(model).where(model.team_id == team.id))
    resources.remove_row(
        session, team, conflict="Something of the team is still in use; try again."
    )
    audit.record_change(session, actor, "delete", team, now=now, group_id=team.group_id)


def fallback_names(session: Session, teams: Sequence[Team]) -> dict[int, dict[str, str | None]]:
    """The names of the fallback contacts by team id, in two statements at most."""
    users = _names(session, User.id, User.username, {team.fallback_user_id for team in teams})
    channels = _names(
        session, Channel.id, Channel.slug, {team.fallback_channel_id for team in teams}
    )
    return {
        team.id: {
            "fallback_user": users.get(team.fallback_user_id),
            "fallback_channel": channels.get(team.fallback_channel_id),
        }
        for team in teams
    }


def _names(session: Session, key: Any, name: Any, ids: set[int | None]) -> dict[int | None, str]:
    known = ids - {None}
    if not known:
        return {}
    return dict(session.execute(select(key, name).where(key.in_(known))).all())


def _with_fallbacks(
    session: Session, group_id: int, team_id: int | None, values: Mapping[str, Any]
) -> dict[str, Any]:
    """``values`` with ids in place of the names of the fallback contacts."""
    stored = dict(values)
    if "fallback_user" in stored:
        name = stored.pop("fallback_user")
        stored["fallback_user_id"] = (
            None
            if name is None
            else user_lookup.find_reachable_member(session, group_id, name, "fallback_user").id
        )
    if "fallback_channel" in stored:
        slug = stored.pop("fallback_channel")
        stored["fallback_channel_id"] = None if slug is None else _channel(session, team_id, slug)
    return stored


def _channel(session: Session, team_id: int | None, slug: str) -> int:
    channel_id = session.scalar(
        select(Channel.id).where(Channel.team_id == team_id, Channel.slug == slug)
    )
    if channel_id is None:
        raise InvalidInput.of("fallback_channel", "The team has no channel of this name.")
    return channel_id


def _refuse_in_use(session: Session, team: Team) -> None:
    open_alerts = session.scalar(
        select(func.count()).where(Alert.team_id == team.id, Alert.status != AlertStatus.RESOLVED)
    )
    if open_alerts:
        raise Conflict(f"The team still has open alerts ({open_alerts}); resolve them first.")
    routes = session.scalars(select(Route.slug).where(Route.team_id == team.id)).all()
    if routes:
        raise Conflict(f"The team still has routes ({', '.join(sorted(routes))}).")
    models: dict[TargetKind, type[Base]] = {
        TargetKind.ON_CALL: Rotation,
        TargetKind.CHANNEL: Channel,
    }
    targets = {(TargetKind.TEAM, team.id)}
    for kind, model in models.items():
        ids = select(model.id).where(model.team_id == team.id)  # type: ignore[attr-defined]
        targets |= {(kind, row_id) for row_id in session.scalars(ids)}
    references.refuse_targets(session, team.group_id, targets, "The team", but_of_team=team.id)
