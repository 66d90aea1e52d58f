"""Health checks for load balancers and watchdogs."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import DeliveryState
from incidentrelay.models import Heartbeat, Notification
from incidentrelay.models.delivery.notification import IS_UNFINISHED
from incidentrelay.services.common import heartbeats

# More than the pages that SQLite usually has to spare: about one intake request.
_TRIAL_BYTES = 64 * 1024
_BLOCKED = text(
    "SELECT min(query_start) FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock' AND query_start < clock_timestamp() - interval '1 second'"
)
_WAITING = (DeliveryState.PENDING, DeliveryState.RETRY)


@dataclass(frozen=True, slots=True)
class HealthReport:
    """``overdue_since`` is when the oldest unsent notification was due.

    ``blocked_since`` is when the longest wait for a lock began, on PostgreSQL. Waits of less
    than a second are normal. ``clock_offset`` is how many seconds this machine's clock is ahead
    of the database's; None on SQLite.
    """

    worker_seen_at: datetime | None
    overdue_since: datetime | None
    blocked_since: datetime | None
    clock_offset: float | None


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
        blocked_since=session.scalar(_BLOCKED) if _is_postgresql(session) else None,
        clock_offset=heartbeats.measure_clock(session, now),
    )


def try_write(session: Session, now: datetime) -> None:
    """Write a row and roll it back; raises the database's own error.

    No one else uses the row, so this waits for no lock. On SQLite it is large, because a full
    disk still accepts small changes.
    """
    name = f"trial-{uuid4().hex}"
    if not _is_postgresql(session):
        name += "-" * _TRIAL_BYTES
    session.execute(insert(Heartbeat).values(name=name, at=now))
    session.execute(delete(Heartbeat).where(Heartbeat.name == name))


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
