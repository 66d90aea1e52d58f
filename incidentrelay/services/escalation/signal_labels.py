"""The labels of the signals in alerts, for silences and searches."""

from collections.abc import Collection, Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.models import Alert, Signal
from incidentrelay.services.escalation.alert_details import IS_SHOWN
from incidentrelay.services.recipients.directory import Directory

SignalLabels = list[dict[str, str]]


def load_signal_labels(session: Session, alert_ids: Collection[int]) -> dict[int, SignalLabels]:
    """The labels of each alert's firing signals, oldest first; the last ones if it is resolved."""
    if not alert_ids:
        return {}
    query = (
        select(Signal.alert_id, Signal.labels)
        .join(Alert, Alert.id == Signal.alert_id)
        .where(Signal.alert_id.in_(alert_ids), IS_SHOWN)
        .order_by(Signal.id)
    )
    labels_of: dict[int, SignalLabels] = {}
    for alert_id, labels in session.execute(query):
        labels_of.setdefault(alert_id, []).append(labels)
    return labels_of


def load_silenceable_labels(
    session: Session, alerts: Iterable[Alert], people: Directory
) -> dict[int, SignalLabels]:
    """:func:`load_signal_labels` of the alerts whose team has silences."""
    return load_signal_labels(session, [a.id for a in alerts if a.team_id in people.silences])
