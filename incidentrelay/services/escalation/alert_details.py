"""Facts for messages that are not in the alert's own row, for many alerts at once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Row, and_, case, func, or_, select
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import AlertStatus, Severity, SignalStatus
from incidentrelay.domain.messages import SignalLine
from incidentrelay.models import Alert, Signal, Team, User
from incidentrelay.services.outbox.queue import AlertSubject
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


class AlertContent(Protocol):
    """What is described of an alert: of a row, or of a working copy during intake."""

    @property
    def id(self) -> int | None: ...
    @property
    def generation(self) -> int: ...
    @property
    def status(self) -> AlertStatus: ...
    @property
    def severity(self) -> Severity: ...
    @property
    def title(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def labels(self) -> Mapping[str, str]: ...
    @property
    def annotations(self) -> Mapping[str, str]: ...
    @property
    def source_link(self) -> str | None: ...
    @property
    def opened_at(self) -> datetime: ...
    @property
    def assignee_id(self) -> int | None: ...
    @property
    def acknowledged_at(self) -> datetime | None: ...


def describe_alert(
    alert: AlertContent,
    team: Team,
    details: AlertDetails = NO_DETAILS,
    signal_labels: Sequence[Mapping[str, str]] = (),
) -> AlertSubject:
    """The alert (with its id) as messages and plans need it."""
    assert alert.id is not None
    acknowledged = alert.status is AlertStatus.ACKNOWLEDGED
    return AlertSubject(
        id=alert.id,
        team_id=team.id,
        team_name=team.name,
        generation=alert.generation,
        status=alert.status,
        severity=alert.severity,
        title=alert.title,
        description=alert.description,
        labels=alert.labels,
        annotations=alert.annotations,
        source_link=alert.source_link,
        opened_at=alert.opened_at,
        assignee_id=alert.assignee_id,
        signal_count=details.signal_count,
        signals=details.signals,
        signal_labels=signal_labels,
        acknowledged_by=details.acknowledged_by if acknowledged else None,
        acknowledged_at=alert.acknowledged_at if acknowledged else None,
    )


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
