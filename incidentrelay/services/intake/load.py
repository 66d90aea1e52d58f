"""Loads the alerts and signals that a batch of items may affect."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import BindParameter, and_, bindparam, or_, select
from sqlalchemy.orm import Session

from incidentrelay.domain import matchers as matching
from incidentrelay.domain.enums import AlertStatus, Severity
from incidentrelay.domain.escalation.plan import Plan
from incidentrelay.domain.fingerprint import group_key
from incidentrelay.domain.intake.reducer import apply_signals
from incidentrelay.domain.intake.signals import Signal, SignalItem
from incidentrelay.domain.intake.state import AlertState, IntakeBatch, SignalState
from incidentrelay.models import Alert, Route
from incidentrelay.models import Signal as SignalRow
from incidentrelay.models.alerts.alert import IS_CURRENT
from incidentrelay.services.escalation import runner as escalation_runner
from incidentrelay.services.escalation.plan_run import SILENCE

_KEYS: BindParameter[str] = bindparam("keys", expanding=True)
_OF_THE_KEYS = and_(
    SignalRow.route_id == bindparam("route_id"), IS_CURRENT, SignalRow.dedup_key.in_(_KEYS)
)
_ALERTS_OF = select(SignalRow.alert_id).where(_OF_THE_KEYS)
_CURRENT_SIGNALS = select(SignalRow).where(_OF_THE_KEYS).execution_options(populate_existing=True)
_GROUPS: BindParameter[str] = bindparam("groups", expanding=True)
_IDS: BindParameter[int] = bindparam("ids", expanding=True)
_OF_THE_ROUTE = and_(
    Alert.route_id == bindparam("route_id"),
    Alert.group_key.in_(_GROUPS),
    or_(Alert.status != AlertStatus.RESOLVED, Alert.resolved_at >= bindparam("since")),
)
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


def _accepts(parsed: tuple[matching.Matcher, ...], signal: Signal) -> bool:
    return matching.matches(parsed, signal.labels)


def _group_key(group_by: Sequence[str], signal: Signal) -> str:
    return group_key(signal.labels, group_by, signal.dedup_key)


def _load(
    session: Session, route: Route, items: Sequence[SignalItem], now: datetime, *, lock: bool
) -> IntakeBatch:
    """Load the affected state in five statements, however many items there are.

    Signals are read after the alerts are locked: resolving an alert also resolves its
    signals, and a stale firing one would hide that.
    """
    window = timedelta(seconds=route.reopen_window)
    signals = [item for item in items if isinstance(item, Signal)]
    keys = {signal.dedup_key for signal in signals}
    groups = {_group_key(route.group_by, signal) for signal in signals}
    known = _alerts_of(session, route.id, keys)
    alerts = _alerts_met(session, route.id, groups, known, now - window, lock=lock)
    rows = _current_signals(session, route.id, keys)
    counts = escalation_runner.firing_signals(session, [alert.id for alert in alerts])
    states = {alert.id: _alert_state(alert, counts.get(alert.id, 0)) for alert in alerts}
    recent: dict[str, AlertState] = {}
    for state in states.values():
        if state.status is AlertStatus.RESOLVED and state.resolved_at is not None:
            other = recent.get(state.group_key)
            if other is None or other.resolved_at is None or other.resolved_at < state.resolved_at:
                recent[state.group_key] = state
    return IntakeBatch(
        now=now,
        reopen_window=window,
        signals={row.dedup_key: _signal_state(row, states[row.alert_id]) for row in rows},
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


def _current_signals(session: Session, route_id: int, keys: set[str]) -> Sequence[SignalRow]:
    given = {"route_id": route_id, "keys": list(keys)}
    return session.scalars(_CURRENT_SIGNALS, given).all()


def _alerts_met(
    session: Session, route_id: int, groups: set[str], ids: set[int], since: datetime, *, lock: bool
) -> Sequence[Alert]:
    query = _ALERTS_MET.with_for_update(key_share=True) if lock else _ALERTS_MET
    given = {"route_id": route_id, "groups": list(groups), "ids": list(ids), "since": since}
    return session.scalars(query, given).all()


def _alert_state(alert: Alert, firing: int) -> AlertState:
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
        firing=firing,
        assignee_id=alert.assignee_id,
        severity_thresholds=_severity_thresholds(alert),
        silenced_until=alert.quiet_until if alert.quiet_reason == SILENCE else None,
    )


def _severity_thresholds(alert: Alert) -> frozenset[Severity]:
    """None while the alert is quiet: its plan restarts afterwards."""
    if not alert.plan or alert.quiet_until is not None:
        return frozenset()
    return Plan.from_json(alert.plan).severity_thresholds


def _signal_state(row: SignalRow, alert: AlertState) -> SignalState:
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
        ends_at=row.ends_at,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
        count=row.count,
    )
