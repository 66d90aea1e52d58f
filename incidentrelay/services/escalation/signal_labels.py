"""The labels of the signals that make up alerts: silences and searches ask each signal."""

from collections.abc import Collection, Iterable

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import AlertStatus, SignalStatus
from incidentrelay.models import Alert, Signal
from incidentrelay.services.recipients.directory import Directory

SignalLabels = list[dict[str, str]]

# The signals that an alert is judged by: those that fire, or all when the alert is resolved.
COUNTED_SIGNALS = or_(Signal.status == SignalStatus.FIRING, Alert.status == AlertStatus.RESOLVED)


def load_signal_labels(session: Session, alert_ids: Collection[int]) -> dict[int, SignalLabels]:
    """The labels of each alert's firing signals, oldest first; of all signals if it is resolved."""
    if not alert_ids:
        return {}
    query = (
        select(Signal.alert_id, Signal.labels)
        .join(Alert, Alert.id == Signal.alert_id)
        .where(Signal.alert_id.in_(alert_ids), COUNTED_SIGNALS)
        .order_by(Signal.id)
    )
    found: dict[int, SignalLabels] = {}
    for alert_id, labels in session.execute(query):
        found.setdefault(alert_id, []).append(labels)
    return found


def load_silenceable_labels(
    session: Session, alerts: Iterable[Alert], people: Directory
) -> dict[int, SignalLabels]:
    """:func:`load_signal_labels` of the alerts whose team has silences."""
    return load_signal_labels(session, [a.id for a in alerts if a.team_id in people.silences])
