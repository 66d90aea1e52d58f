"""One route's state over several requests, as the database keeps it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from incidentrelay.domain.enums import AlertStatus, Outcome, Severity, SignalStatus
from incidentrelay.domain.intake.reducer import apply_signals
from incidentrelay.domain.intake.signals import IncomingSignal, SignalItem
from incidentrelay.domain.intake.state import AlertState, IntakeBatch, SignalState

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
FIRING, RESOLVED = SignalStatus
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


def a_signal(key: str = "disk", status: SignalStatus = FIRING, **values: object) -> IncomingSignal:
    base = IncomingSignal(
        dedup_key=key, status=status, severity=Severity.WARNING, title=f"{key} is full"
    )
    return replace(base, **values)  # type: ignore[arg-type]


class MemoryRoute:
    """``group``: all signals are one alert; None: each is an alert of its own."""

    def __init__(self, group: str | None = None) -> None:
        self.batch: IntakeBatch | None = None
        self.group = group

    def take(self, *items: SignalItem, at: datetime = NOW) -> IntakeBatch:
        signals = dict(self.batch.signals) if self.batch else {}
        alerts = self.alerts()
        for state in alerts:
            state.page = state.closed = state.changed = False
            state.ended, state.joined = {}, {}
        batch = IntakeBatch(
            now=at,
            reopen_window=5 * MINUTE,
            ack_covers=60 * MINUTE,
            signals=signals,
            open_alerts={a.group_key: a for a in alerts if a.status is not AlertStatus.RESOLVED},
            recent_alerts={a.group_key: a for a in alerts if a.status is AlertStatus.RESOLVED},
        )
        self.batch = apply_signals(
            items, batch, lambda s: self.group or s.dedup_key, lambda _: True
        )
        return self.batch

    def release(self, at: datetime) -> IntakeBatch | None:
        """Apply what was held and is due, as the services do it; None if nothing is."""
        signals = self.batch.signals.values() if self.batch else ()
        due = [signal for signal in signals if signal.refire_at and signal.refire_at <= at]
        items = [signal.refire for signal in due if signal.refire]
        for signal in due:
            signal.refire = signal.refire_at = None
        return self.take(*items, at=at) if items else None

    def alerts(self) -> list[AlertState]:
        signals: Iterable[SignalState] = self.batch.signals.values() if self.batch else ()
        return list({id(signal.alert): signal.alert for signal in signals}.values())

    def acknowledge(self, alert: AlertState, at: datetime = NOW) -> None:
        alert.status, alert.acknowledged_at = AlertStatus.ACKNOWLEDGED, at
        alert.generation += 1

    def resolve_by_hand(self, alert: AlertState, at: datetime) -> None:
        """As the services do it: the source has recorded no end."""
        alert.status, alert.resolved_at = AlertStatus.RESOLVED, at
        for signal in list(alert.firing):
            alert.firing.remove(signal)
            signal.status, signal.resolved_at = RESOLVED, at


def outcomes(batch: IntakeBatch) -> list[Outcome]:
    return [result.outcome for result in batch.results]


def only_alert(batch: IntakeBatch) -> AlertState:
    (alert,) = batch.alerts.values()
    return alert
