"""Loads the alerts and signals that a batch of items may affect."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import BindParameter, Row, and_, bindparam, or_, select
from sqlalchemy.orm import Session

from incidentrelay.domain import matchers as matching
from incidentrelay.domain.enums import AlertStatus, Severity, SignalStatus
from incidentrelay.domain.escalation.plan import Plan
from incidentrelay.domain.fingerprint import group_key
from incidentrelay.domain.intake.reducer import apply_signals
from incidentrelay.domain.intake.signals import IncomingSignal, SignalItem
from incidentrelay.domain.intake.state import AlertState, IntakeBatch, SignalState
from incidentrelay.models import Alert, Route, Signal
from incidentrelay.models.alerts.alert import IS_CURRENT
from incidentrelay.services.escalation.plan_run import SILENCE
from incidentrelay.services.escalation.runner import SNOOZE

_KEYS: BindParameter[str] = bindparam("keys", expanding=True)
_OF_THE_KEYS = and_(
    Signal.route_id == bindparam("route_id"), IS_CURRENT, Signal.dedup_key.in_(_KEYS)
)
_ALERTS_OF = select(Signal.alert_id).where(_OF_THE_KEYS)
# Columns, not objects: a group may have thousands of signals.
_COLUMNS = select(*Signal.__table__.columns)
_CURRENT_SIGNALS = _COLUMNS.where(_OF_THE_KEYS)
_GROUPS: BindParameter[str] = bindparam("groups", expanding=True)
_IDS: BindParameter[int] = bindparam("ids", expanding=True)
_OF_THE_ROUTE = and_(
    Alert.route_id == bindparam("route_id"),
    Alert.group_key.in_(_GROUPS),
    or_(Alert.status != AlertStatus.RESOLVED, Alert.resolved_at >= bindparam("since")),
)
_FIRING_SIGNALS = _COLUMNS.where(
    Signal.alert_id.in_(_IDS), Signal.status == SignalStatus.FIRING
).order_by(Signal.id)
_ALERTS_MET = select(Alert).where(or_(_OF_THE_ROUTE, Alert.id.in_(_IDS))).order_by(Alert.id)


def load_and_apply(
    session: Session, route: Route, items: Sequence[SignalItem], now: datetime, *, lock: bool = True
) -> IntakeBatch:
    """Load the affected state and apply the items to it in memory.

    ``lock`` keeps other transactions from changing those alerts before this one ends.
    """
    accepts = partial(_accepts, matching.parse_list(route.matchers))
    batch = _load(session, route, items, now, lock=lock)
    return apply_signals(items, batch, partial(_group_key, route.group_by), accepts)


def _accepts(parsed: tuple[matching.Matcher, ...], signal: IncomingSignal) -> bool:
    return matching.matches(parsed, signal.labels)


def _group_key(group_by: Sequence[str], signal: IncomingSignal) -> str:
    return group_key(signal.labels, group_by, signal.dedup_key)


def _load(
    session: Session, route: Route, items: Sequence[SignalItem], now: datetime, *, lock: bool
) -> IntakeBatch:
    """Load the affected state in four statements, however many items and signals there are.

    Signals are read after the alerts are locked: resolving an alert also resolves its
    signals, and a stale firing one would hide that. All firing signals of each alert are
    read, because what it shows is a function of them.
    """
    window = timedelta(seconds=route.reopen_window)
    signals = [item for item in items if isinstance(item, IncomingSignal)]
    keys = {signal.dedup_key for signal in signals}
    groups = {_group_key(route.group_by, signal) for signal in signals}
    alert_ids = _alerts_of(session, route.id, keys)
    alerts = _alerts_met(session, route.id, groups, alert_ids, now - window, lock=lock)
    states = {alert.id: _alert_state(alert) for alert in alerts}
    current = _load_signals(session, route.id, keys, states)
    recent: dict[str, AlertState] = {}
    for state in states.values():
        if state.status is AlertStatus.RESOLVED and state.resolved_at is not None:
            other = recent.get(state.group_key)
            if other is None or other.resolved_at is None or other.resolved_at < state.resolved_at:
                recent[state.group_key] = state
    return IntakeBatch(
        now=now,
        reopen_window=window,
        ack_covers=timedelta(seconds=route.team.ack_covers),
        signals=current,
        open_alerts={
            state.group_key: state
            for state in states.values()
            if state.status is not AlertStatus.RESOLVED
        },
        recent_alerts=recent,
    )


def _alerts_of(session: Session, route_id: int, keys: set[str]) -> set[int]:
    """The alerts of the current signals; only the holder of the route lock changes these."""
    return set(session.scalars(_ALERTS_OF, {"route_id": route_id, "keys": list(keys)}))


def _load_signals(
    session: Session, route_id: int, keys: set[str], alerts: Mapping[int, AlertState]
) -> dict[str, SignalState]:
    """The current signals of ``keys``; adds the firing signals of ``alerts`` to them."""
    values = {"route_id": route_id, "keys": list(keys)}
    rows = session.execute(_CURRENT_SIGNALS, values).all()
    current = {row.id: _signal_state(row, alerts[row.alert_id]) for row in rows}
    is_open = [id for id, alert in alerts.items() if alert.status is not AlertStatus.RESOLVED]
    if is_open:
        for row in session.execute(_FIRING_SIGNALS, {"ids": is_open}):
            alert = alerts[row.alert_id]
            alert.firing.add(current.get(row.id) or _signal_state(row, alert))
    return {signal.dedup_key: signal for signal in current.values()}


def _alerts_met(
    session: Session, route_id: int, groups: set[str], ids: set[int], since: datetime, *, lock: bool
) -> Sequence[Alert]:
    query = _ALERTS_MET.with_for_update(key_share=True) if lock else _ALERTS_MET
    values = {"route_id": route_id, "groups": list(groups), "ids": list(ids), "since": since}
    return session.scalars(query, values).all()


def _alert_state(alert: Alert) -> AlertState:
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


def _severity_thresholds(alert: Alert) -> frozenset[Severity]:
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
