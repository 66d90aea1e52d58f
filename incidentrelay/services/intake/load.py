"""Loads the alerts and signals that items may affect, of several routes at once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import BindParameter, Row, and_, bindparam, or_, select, union_all
from sqlalchemy.orm import Session

from incidentrelay.domain import matchers as matching
from incidentrelay.domain.enums import AlertStatus, Severity, SignalStatus
from incidentrelay.domain.escalation.plan import Plan
from incidentrelay.domain.fingerprint import group_key
from incidentrelay.domain.intake.reducer import apply_signals
from incidentrelay.domain.intake.signals import IncomingSignal, SignalItem
from incidentrelay.domain.intake.state import AlertState, IntakeBatch, SignalState
from incidentrelay.models import Alert, Signal
from incidentrelay.models.alerts.alert import IS_CURRENT
from incidentrelay.services.escalation.plan_run import SILENCE
from incidentrelay.services.escalation.route_facts import RouteFacts
from incidentrelay.services.escalation.runner import SNOOZE

# Columns, not objects: a group may have thousands of signals.
_SIGNALS = select(*Signal.__table__.columns)
_ROUTES: BindParameter[int] = bindparam("routes", expanding=True)
_KEYS: BindParameter[str] = bindparam("keys", expanding=True)
_GROUPS: BindParameter[str] = bindparam("groups", expanding=True)
_IDS: BindParameter[int] = bindparam("ids", expanding=True)
_OF_THE_KEYS = and_(Signal.route_id.in_(_ROUTES), IS_CURRENT, Signal.dedup_key.in_(_KEYS))
_MET = union_all(
    select(Signal.alert_id).where(_OF_THE_KEYS),
    select(Alert.id).where(
        Alert.route_id.in_(_ROUTES),
        Alert.group_key.in_(_GROUPS),
        or_(Alert.status != AlertStatus.RESOLVED, Alert.resolved_at >= bindparam("since")),
    ),
)
_ALERTS = select(*Alert.__table__.columns).where(Alert.id.in_(_IDS)).order_by(Alert.id)
_LOCKED_ALERTS = _ALERTS.with_for_update(key_share=True)
_CURRENT_SIGNALS = _SIGNALS.where(_OF_THE_KEYS)
_FIRING_SIGNALS = _SIGNALS.where(
    Signal.alert_id.in_(_IDS), Signal.status == SignalStatus.FIRING
).order_by(Signal.id)

# The items of one transaction for one route, in order.
RouteItems = tuple[RouteFacts, Sequence[SignalItem]]


def load_and_apply(
    session: Session, work: Sequence[RouteItems], now: datetime, *, lock: bool = True
) -> list[IntakeBatch]:
    """Load the affected state and apply the items to it in memory; each route occurs once.

    ``lock`` keeps other transactions from changing those alerts before this one ends.
    Without it, the routes need not be locked either.
    """
    states, signals = _load(session, work, now, lock=lock)
    return [
        apply_signals(
            items,
            _batch(facts, states.get(facts.route.id, ()), signals.get(facts.route.id, {}), now),
            partial(_group_key, facts.route.group_by),
            partial(_accepts, facts.matchers),
        )
        for facts, items in work
    ]


def _accepts(parsed: tuple[matching.Matcher, ...], signal: IncomingSignal) -> bool:
    return matching.matches(parsed, signal.labels)


def _group_key(group_by: Sequence[str], signal: IncomingSignal) -> str:
    return group_key(signal.labels, group_by, signal.dedup_key)


def _load(
    session: Session, work: Sequence[RouteItems], now: datetime, *, lock: bool
) -> tuple[dict[int, list[AlertState]], dict[int, dict[str, SignalState]]]:
    """The alerts and the current signals of the items, by route.

    Four statements at most, and one if the items meet nothing. Only the holder of the route's
    lock changes which alerts are met. Signals are read after the alerts are locked: resolving
    an alert also resolves its signals, and a stale firing one would hide that. All firing
    signals of each alert are read, because what it shows is a function of them.
    """
    keys: dict[int, set[str]] = {}
    groups: set[str] = set()
    for facts, items in work:
        of_route = keys.setdefault(facts.route.id, set())
        for item in items:
            if isinstance(item, IncomingSignal):
                of_route.add(item.dedup_key)
                groups.add(_group_key(facts.route.group_by, item))
    values = {"routes": list(keys), "keys": list(set().union(*keys.values()))}
    longest = max((facts.route.reopen_window for facts, _ in work), default=0)
    since = now - timedelta(seconds=longest)
    connection = session.connection()
    ids = set(connection.scalars(_MET, {**values, "groups": list(groups), "since": since}))
    if not ids:
        return {}, {}
    alerts = connection.execute(_LOCKED_ALERTS if lock else _ALERTS, {"ids": list(ids)}).all()
    states = {row.id: _alert_state(row) for row in alerts}
    rows = connection.execute(_CURRENT_SIGNALS, values)
    wanted = [row for row in rows if row.dedup_key in keys[row.route_id]]
    current = {row.id: _signal_state(row, states[row.alert_id]) for row in wanted}
    _add_firing(session, states, current)
    by_route: dict[int, dict[str, SignalState]] = {}
    for row in wanted:
        by_route.setdefault(row.route_id, {})[row.dedup_key] = current[row.id]
    states_by_route: dict[int, list[AlertState]] = {}
    for row in alerts:
        states_by_route.setdefault(row.route_id, []).append(states[row.id])
    return states_by_route, by_route


def _add_firing(
    session: Session, alerts: Mapping[int, AlertState], current: Mapping[int, SignalState]
) -> None:
    """Add their firing signals to the open alerts; ``current`` are those known, by id."""
    is_open = [id for id, alert in alerts.items() if alert.status is not AlertStatus.RESOLVED]
    if is_open:
        for row in session.connection().execute(_FIRING_SIGNALS, {"ids": is_open}):
            alert = alerts[row.alert_id]
            alert.firing.add(current.get(row.id) or _signal_state(row, alert))


def _batch(
    facts: RouteFacts,
    alerts: Iterable[AlertState],
    signals: dict[str, SignalState],
    now: datetime,
) -> IntakeBatch:
    recent: dict[str, AlertState] = {}
    for state in alerts:
        if state.status is AlertStatus.RESOLVED and state.resolved_at is not None:
            other = recent.get(state.group_key)
            if other is None or other.resolved_at is None or other.resolved_at < state.resolved_at:
                recent[state.group_key] = state
    return IntakeBatch(
        now=now,
        reopen_window=timedelta(seconds=facts.route.reopen_window),
        ack_covers=timedelta(seconds=facts.route.team.ack_covers),
        signals=signals,
        open_alerts={
            state.group_key: state for state in alerts if state.status is not AlertStatus.RESOLVED
        },
        recent_alerts=recent,
    )


def _alert_state(alert: Row[Any]) -> AlertState:
    return AlertState(
        id=alert.id,
        group_key=alert.group_key,
        status=alert.status,
        severity=alert.severity,
        title=alert.title,
        description=alert.description,
        labels=dict(alert.labels),
        annotations=dict(alert.annotations),
        source_link=alert.source_link,
        generation=alert.generation,
        opened_at=alert.opened_at,
        last_seen_at=alert.last_seen_at,
        resolved_at=alert.resolved_at,
        acknowledged_at=alert.acknowledged_at,
        acknowledged_by_id=alert.acknowledged_by_id,
        assignee_id=alert.assignee_id,
        severity_thresholds=_severity_thresholds(alert),
        silenced_until=alert.quiet_until if alert.quiet_reason == SILENCE else None,
        snoozed=alert.quiet_reason == SNOOZE,
    )


def _severity_thresholds(alert: Row[Any]) -> frozenset[Severity]:
    """None while the alert is quiet: its plan restarts afterwards."""
    if not alert.plan or alert.quiet_until is not None:
        return frozenset()
    return Plan.from_json(alert.plan).severity_thresholds


def _signal_state(row: Row[Any], alert: AlertState) -> SignalState:
    return SignalState(
        id=row.id,
        dedup_key=row.dedup_key,
        alert=alert,
        status=row.status,
        severity=row.severity,
        title=row.title,
        description=row.description,
        labels=dict(row.labels),
        annotations=dict(row.annotations),
        link=row.link,
        starts_at=row.starts_at,
        start_from_source=row.start_from_source,
        ends_at=row.ends_at,
        end_from_source=row.end_from_source,
        resolved_at=row.resolved_at,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
        count=row._mapping["count"],  # a row is a tuple, which has a method of this name
        refire=IncomingSignal.from_json(row.refire) if row.refire else None,
        refire_at=row.refire_at,
    )
