"""Facts for messages that are not in the alert's own row, for many alerts at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, case, func, or_, select
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import Severity, SignalStatus
from incidentrelay.domain.messages import SignalLine
from incidentrelay.models import Alert, Signal, User
from incidentrelay.services.outbox.signal_lines import MAX_SIGNALS, list_signals


@dataclass(frozen=True, slots=True)
class AlertDetails:
    """How many signals an alert shows, the worst of them, and who acknowledged it."""

    signal_count: int = 1
    signals: tuple[SignalLine, ...] = ()
    acknowledged_by: str | None = None


NO_DETAILS = AlertDetails()
_SEVERITY_RANK = case(
    {str(severity): -severity.rank for severity in Severity}, value=Signal.severity, else_=0
)
# The firing ones, or the last ones of a resolved alert.
IS_SHOWN = or_(
    Signal.status == SignalStatus.FIRING,
    and_(Alert.resolved_at.is_not(None), Signal.resolved_at == Alert.resolved_at),
)
WORST_FIRST = (_SEVERITY_RANK, Signal.first_seen_at, Signal.dedup_key)


def load_details(session: Session, alerts: Collection[Alert]) -> dict[int, AlertDetails]:
    """The details of each alert, in two statements at most."""
    ids = [alert.id for alert in alerts]
    names = _names(session, {alert.acknowledged_by_id for alert in alerts})
    counts: dict[int, int] = {}
    signals: dict[int, list[Any]] = {id: [] for id in ids}
    for signal in _worst_signals(session, ids):
        counts[signal.alert_id] = signal.number
        signals[signal.alert_id].append(signal)
    return {
        alert.id: AlertDetails(
            counts.get(alert.id, 1),
            list_signals(signals[alert.id]),
            names.get(alert.acknowledged_by_id),
        )
        for alert in alerts
    }


def _worst_signals(session: Session, alert_ids: Collection[int]) -> Sequence[Row[Any]]:
    """The worst signals of each alert, with the ``number`` of all signals shown."""
    if not alert_ids:
        return []
    place = func.row_number().over(partition_by=Signal.alert_id, order_by=WORST_FIRST)
    ranked = (
        select(
            *Signal.__table__.columns,
            place.label("place"),
            func.count().over(partition_by=Signal.alert_id).label("number"),
        )
        .join(Alert, Alert.id == Signal.alert_id)
        .where(Signal.alert_id.in_(alert_ids), IS_SHOWN)
        .subquery()
    )
    return session.execute(select(ranked).where(ranked.c.place <= MAX_SIGNALS)).all()


def _names(session: Session, user_ids: set[int | None]) -> dict[int | None, str]:
    known = user_ids - {None}
    if not known:
        return {}
    query = select(User.id, User.display_name).where(User.id.in_(known))
    return dict(session.execute(query).all())
