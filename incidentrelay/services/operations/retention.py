"""Deletes data past its retention period in small batches.

Each batch is a separate transaction, so nothing waits for long and any number of workers can
run this at once. Deleting an alert cascades to its signals, timeline, notifications and
attempts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, or_, select
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import AlertStatus
from incidentrelay.models import Alert, Attempt, AuditEntry, IntakeRequest, Notification
from incidentrelay.services.outbox.records import DUE


@dataclass(frozen=True, slots=True)
class RetentionKind:
    """A kind of data with a retention period; ``old`` selects rows from before a time.

    ``setting`` names the number of days, ``batch`` is the number of rows per delete.
    """

    name: str
    setting: str
    model: type[Any]
    old: Callable[[datetime], Select[Any]]
    batch: int


def _alerts(before: datetime) -> Select[Any]:
    """Resolved alerts without pending notifications."""
    unfinished = select(Notification.id).where(
        Notification.alert_id == Alert.id, Notification.state.in_(DUE)
    )
    return (
        select(Alert.id)
        .where(
            Alert.status == AlertStatus.RESOLVED,
            Alert.resolved_at < before,
            ~unfinished.exists(),
        )
        .order_by(Alert.resolved_at)
    )


def _attempts(before: datetime) -> Select[Any]:
    """Attempts of finished notifications whose alert is not open."""
    return (
        select(Attempt.id)
        .join(Notification, Notification.id == Attempt.notification_id)
        .outerjoin(Alert, Alert.id == Notification.alert_id)
        .where(
            Attempt.started_at < before,
            Notification.state.not_in(DUE),
            or_(Alert.id.is_(None), Alert.status == AlertStatus.RESOLVED),
        )
        .order_by(Attempt.started_at)
    )


def _tests(before: datetime) -> Select[Any]:
    """Notifications without an alert, such as channel tests."""
    return select(Notification.id).where(
        Notification.finished_at < before,
        Notification.alert_id.is_(None),
        Notification.state.not_in(DUE),
    )


def _intake(before: datetime) -> Select[Any]:
    return (
        select(IntakeRequest.id)
        .where(IntakeRequest.received_at < before)
        .order_by(IntakeRequest.received_at)
    )


def _audit(before: datetime) -> Select[Any]:
    return select(AuditEntry.id).where(AuditEntry.at < before).order_by(AuditEntry.at)


RETENTION_KINDS = (
    RetentionKind("intake requests", "retention_intake", IntakeRequest, _intake, 100),
    RetentionKind("attempts", "retention_attempts", Attempt, _attempts, 500),
    RetentionKind("tests of channels", "retention_attempts", Notification, _tests, 200),
    RetentionKind("alerts", "retention_alerts", Alert, _alerts, 50),
    RetentionKind("audit entries", "retention_audit", AuditEntry, _audit, 500),
)


def prune_old_rows(session: Session, kind: RetentionKind, days: int, now: datetime) -> int:
    """Delete one batch of rows older than ``days`` (0 keeps them forever).

    A result below ``kind.batch`` means that nothing old is left, or that another worker
    is deleting it.
    """
    if not days:
        return 0
    old = kind.old(now - timedelta(days=days)).limit(kind.batch)
    ids = session.scalars(old.with_for_update(skip_locked=True, of=kind.model)).all()
    if ids:
        session.execute(
            delete(kind.model)
            .where(kind.model.id.in_(ids))
            .execution_options(synchronize_session=False)
        )
    return len(ids)
