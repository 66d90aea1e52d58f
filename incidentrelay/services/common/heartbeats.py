"""Heartbeats of the parts of the system."""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from incidentrelay import db
from incidentrelay.models import Heartbeat

WORKER = "worker"
SILENT_AFTER = timedelta(minutes=5)


def record_heartbeat(session: Session, name: str, now: datetime) -> None:
    """Record that ``name`` is alive at ``now``. Several workers may do so at once."""
    db.insert_missing(session, Heartbeat, {"name": name, "at": now})
    session.execute(update(Heartbeat).where(Heartbeat.name == name).values(at=now))


def last_heartbeat(session: Session, name: str) -> datetime | None:
    return session.scalar(select(Heartbeat.at).where(Heartbeat.name == name))


def is_silent(seen_at: datetime | None, now: datetime) -> bool:
    """Whether a heartbeat is missing: none yet, or none for more than SILENT_AFTER."""
    return seen_at is None or now - seen_at > SILENT_AFTER
