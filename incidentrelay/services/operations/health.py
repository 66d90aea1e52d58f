"""Health checks for load balancers and watchdogs."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import DeliveryState
from incidentrelay.models import Notification
from incidentrelay.models.delivery.notification import IS_UNFINISHED
from incidentrelay.services.common import heartbeats

_WAITING = (DeliveryState.PENDING, DeliveryState.RETRY)


@dataclass(frozen=True, slots=True)
class HealthReport:
    """``overdue_since`` is when the oldest unsent notification was due."""

    worker_seen_at: datetime | None
    overdue_since: datetime | None


def check_health(session: Session, now: datetime) -> HealthReport:
    """Raises the database's own error if it is unavailable."""
    overdue = session.scalar(
        select(func.min(Notification.next_at)).where(
            IS_UNFINISHED, Notification.state.in_(_WAITING), Notification.next_at <= now
        )
    )
    return HealthReport(
        worker_seen_at=heartbeats.last_heartbeat(session, heartbeats.WORKER),
        overdue_since=overdue,
    )
