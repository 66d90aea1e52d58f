"""Resolves alerts whose source stopped sending, as their route's timeout says.

Only time in which a worker was sweeping counts: while this installation was down it
probably missed requests too. Editing a route restarts its timeout.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from incidentrelay.domain.actors import SYSTEM
from incidentrelay.domain.enums import AlertStatus, SignalStatus
from incidentrelay.models import Alert, Route, Signal
from incidentrelay.services.alerts import transitions as alert_transitions
from incidentrelay.services.common import heartbeats
from incidentrelay.services.escalation.route_facts import accepts_route, routes_with_plans

BATCH = 200
# Sweeps run every minute; a longer gap means the installation was down.
LONGEST_GAP = timedelta(minutes=5)
_LISTENING = "listening"
_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def listening_since(session: Session, now: datetime) -> datetime:
    """Start of the current run of sweeps without a gap. Call once per sweep."""
    since = heartbeats.last_heartbeat(session, _LISTENING)
    swept = heartbeats.last_heartbeat(session, heartbeats.WORKER)
    if since is None or swept is None or now - swept > LONGEST_GAP:
        heartbeats.record_heartbeat(session, _LISTENING, now)
        return now
    return since


def due_route_ids(session: Session, since: datetime, now: datetime) -> list[int]:
    """The routes that have alerts to resolve; ``since``: see :func:`listening_since`."""
    query = select(Route.id, Route.auto_resolve_after, Route.updated_at)
    routes: dict[int, list[int]] = defaultdict(list)
    for route_id, seconds, edited_at in session.execute(query.where(Route.auto_resolve_after > 0)):
        if seconds is not None and max(since, edited_at) <= now - timedelta(seconds=seconds):
            routes[seconds].append(route_id)
    return sorted(_with_silent_alerts(session, routes, now))


def _with_silent_alerts(
    session: Session, routes: dict[int, list[int]], now: datetime
) -> Iterator[int]:
    for seconds, route_ids in routes.items():
        silent = _silent(route_ids, now - timedelta(seconds=seconds))
        ids = session.scalars(silent.with_only_columns(Alert.route_id).distinct())
        yield from (route_id for route_id in ids if route_id is not None)


def resolve_stale(session: Session, route_id: int, since: datetime, now: datetime) -> int:
    """Resolve the silent alerts of a route, oldest first; returns how many.

    Locks the route, so that a signal that arrives at the last moment keeps its alert
    open.
    """
    query = routes_with_plans().where(Route.id == route_id)
    route = session.scalars(query.with_for_update(of=Route, key_share=True)).one_or_none()
    if route is None or not route.auto_resolve_after or not accepts_route(route):
        return 0
    before = now - timedelta(seconds=route.auto_resolve_after)
    if max(since, route.updated_at) > before:
        return 0
    silent = _silent([route_id], before).with_only_columns(Alert.id)
    ids = list(session.scalars(silent.order_by(Alert.id).limit(BATCH)))
    alerts = [
        a
        for a in alert_transitions.lock_alerts(session, ids)
        if a.status is not AlertStatus.RESOLVED
    ]
    text = f"Resolved: its source has been silent for {_span(route.auto_resolve_after)}."
    alert_transitions.resolve(session, alerts, text, actor=SYSTEM, now=now)
    return len(alerts)


def _silent(route_ids: Sequence[int], before: datetime) -> Select[Alert]:
    """Open alerts without a firing signal since ``before``."""
    heard = exists().where(
        Signal.alert_id == Alert.id,
        Signal.status == SignalStatus.FIRING,
        Signal.last_seen_at > before,
    )
    return select(Alert).where(
        Alert.route_id.in_(route_ids),
        Alert.status != AlertStatus.RESOLVED,
        Alert.opened_at <= before,
        ~heard,
    )


def _span(seconds: int) -> str:
    """``90 minutes``, ``1 day``: in the largest whole unit."""
    size, unit = next(pair for pair in _UNITS if seconds % pair[0] == 0)
    count = seconds // size
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
