"""Creates and edits routes: where alerts come in and whom they page."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import AlertStatus
from incidentrelay.domain.errors import Conflict
from incidentrelay.models import Alert, Channel, Policy, Rotation, Route, Team
from incidentrelay.services.access.secrets import TokenKind, new_token, token_digest, token_hint
from incidentrelay.services.alerts import transitions as alert_transitions
from incidentrelay.services.common import audit, limits, resources, team_lookup, validation
from incidentrelay.services.common import matchers as label_matchers
from incidentrelay.services.common.slugs import check_slug, with_slug

_BATCH = 500
_AT_ONCE = timedelta(0)


class IntegrationNames(Protocol):
    """The names of the available sources."""

    def names(self) -> Any: ...


_FIELDS: Mapping[str, validation.Check] = {
    "name": validation.NAME,
    "enabled": validation.flag,
    "position": validation.number(*limits.ROUTE_POSITION),
    "matchers": label_matchers.parse_matchers,
    "group_by": label_matchers.group_by,
    "rotation": validation.optional(validation.line(*limits.SLUG)),
    "policy": validation.optional(validation.line(*limits.SLUG)),
    "channels": validation.listing(validation.line(*limits.SLUG), *limits.ROUTE_CHANNELS),
    "reopen_window": validation.number(*limits.REOPEN_WINDOW),
    "auto_resolve_after": validation.optional(validation.number(*limits.AUTO_RESOLVE_AFTER)),
}


def create(
    session: Session,
    team: Team,
    data: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
    integrations: IntegrationNames,
) -> tuple[Route, str]:
    """Create a route; returns it and its token, which cannot be read again.

    It comes after the team's other routes unless ``position`` says otherwise.
    Raises Conflict if the team already has a route with this slug.
    """
    table = {**_FIELDS, "slug": check_slug, "source": _source(integrations)}
    values = validation.clean(with_slug(data), table, required=("name", "slug", "source"))
    conflict = f"There is a route “{values['slug']}” in this team already."
    if team_lookup.has_slug(session, Route, team.id, values["slug"]):
        raise Conflict(conflict)
    token = new_token(TokenKind.ROUTE)
    route = Route(
        **_with_defaults(session, team, values),
        team=team,
        team_id=team.id,
        token_digest=token_digest(token),
        token_hint=token_hint(token),
        created_at=now,
        updated_at=now,
    )
    resources.insert_row(session, route, conflict=conflict)
    audit.record_team_change(
        session, actor, "create", team, route, resources.given_fields(values), now=now
    )
    return route, token


def update(
    session: Session, route: Route, data: Mapping[str, Any], *, actor: Actor, now: datetime
) -> Route:
    """Change the given fields; None removes the rotation or policy."""
    values = validation.clean(resources.without_fixed(route, data, ("slug", "source")), _FIELDS)
    # The comparison needs the related rows, and lazy loading is off.
    session.scalars(
        select(Route)
        .where(Route.id == route.id)
        .options(
            selectinload(Route.rotation), selectinload(Route.policy), selectinload(Route.channels)
        )
    ).one()
    diff = _change(route, _resolved(session, route.team_id, values))
    if diff:
        resources.save_row(session, route, now)
        audit.record_team_change(
            session, actor, "update", team_lookup.find_team(session, route), route, diff, now=now
        )
    return route


def delete(
    session: Session, route: Route, *, actor: Actor, now: datetime, resolve: bool = False
) -> None:
    """Delete the route and its token; its resolved alerts stay.

    Raises Conflict while alerts of it are open, unless they are to be resolved too.
    """
    team = team_lookup.find_team(session, route)
    # Requests that arrive meanwhile wait, so no alert opens behind the count.
    session.execute(select(Route.id).where(Route.id == route.id).with_for_update())
    alert_ids = list(
        session.scalars(
            select(Alert.id)
            .where(Alert.route_id == route.id, Alert.status != AlertStatus.RESOLVED)
            .order_by(Alert.id)
        )
    )
    if alert_ids and not resolve:
        raise Conflict(_open_alerts(len(alert_ids)))
    for batch in (alert_ids[at : at + _BATCH] for at in range(0, len(alert_ids), _BATCH)):
        _resolve_alerts(session, batch, actor, now)
    resources.remove_row(session, route, conflict="This route is still in use.")
    diff = {"resolved_alerts": [None, len(alert_ids)]} if alert_ids else {}
    audit.record_team_change(session, actor, "delete", team, route, diff, now=now)


def _open_alerts(count: int) -> str:
    some = "One alert of this route is" if count == 1 else f"{count} alerts of this route are"
    return f"{some} open. Resolve them first, or delete the route with resolve=true."


def _resolve_alerts(
    session: Session, alert_ids: Sequence[int], actor: Actor, now: datetime
) -> None:
    locked = alert_transitions.lock_alerts(session, alert_ids)
    alerts = [alert for alert in locked if alert.status is not AlertStatus.RESOLVED]
    text = f"Resolved by {actor.name}, who deleted the route"
    alert_transitions.resolve(session, alerts, text, actor=actor, now=now)


def rotate_token(
    session: Session, route: Route, *, actor: Actor, now: datetime, keep_old: timedelta = _AT_ONCE
) -> str:
    """Replace the route's token and return the new one.

    The old one works for ``keep_old``, so that no alert is lost while senders are changed.
    """
    token = new_token(TokenKind.ROUTE)
    route.old_token_digest = route.token_digest if keep_old else None
    route.old_token_until = now + keep_old if keep_old else None
    route.token_digest = token_digest(token)
    route.token_hint = token_hint(token)
    resources.save_row(session, route, now)
    diff: dict[str, list[Any]] = {"token": [audit.MASK, audit.MASK]}
    if route.old_token_until is not None:
        diff["old_token_until"] = [None, route.old_token_until.isoformat()]
    audit.record_team_change(
        session, actor, "rotate_token", team_lookup.find_team(session, route), route, diff, now=now
    )
    return token


def _source(integrations: IntegrationNames) -> validation.Check:
    def check(value: Any) -> str:
        names = sorted(integrations.names())
        if not isinstance(value, str) or value not in names:
            raise ValueError(f"Write one of: {', '.join(names)}.")
        return value

    return check


def _with_defaults(session: Session, team: Team, values: Mapping[str, Any]) -> dict[str, Any]:
    """All columns that people set, of a new route."""
    return {
        "matchers": [],
        "group_by": [],
        "position": _last_position(session, team),
        "rotation": None,
        "policy": None,
        "channels": [],
        **_resolved(session, team.id, values),
    }


def _last_position(session: Session, team: Team) -> int:
    highest = session.scalar(select(func.max(Route.position)).where(Route.team_id == team.id))
    return 0 if highest is None else highest + 1


def _resolved(session: Session, team_id: int, values: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` with slugs replaced by the team's rows."""
    stored = dict(values)
    if stored.get("rotation") is not None:
        slugs = [stored["rotation"]]
        stored["rotation"] = team_lookup.find_things(session, Rotation, team_id, slugs, "rotation")[
            0
        ]
    if stored.get("policy") is not None:
        slugs = [stored["policy"]]
        stored["policy"] = team_lookup.find_things(session, Policy, team_id, slugs, "policy")[0]
    if "channels" in stored:
        rows = team_lookup.find_things(session, Channel, team_id, stored["channels"], "channels")
        stored["channels"] = sorted(rows, key=lambda channel: channel.id)
    return stored


def _change(route: Route, stored: Mapping[str, Any]) -> dict[str, list[Any]]:
    diff = resources.change_row(route, stored)
    for field in ("rotation", "policy"):
        if field in diff:
            diff[field] = [row and row.slug for row in diff[field]]
    if "channels" in diff:
        diff["channels"] = [[row.slug for row in rows] for rows in diff["channels"]]
    return diff
