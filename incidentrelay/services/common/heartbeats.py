"""Signs of life of the parts of the system."""

from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from incidentrelay.models import Heartbeat

WORKER = "worker"


def record_heartbeat(session: Session, name: str, now: datetime) -> None:
    """``name`` is alive at ``now``; of several at once the last one stands."""
    beaten = session.execute(update(Heartbeat).where(Heartbeat.name == name).values(at=now))
    if beaten.rowcount == 0:  # type: ignore[attr-defined]
        session.execute(insert(Heartbeat), [{"name": name, "at": now}])


def last_heartbeat(session: Session, name: str) -> datetime | None:
    return session.scalar(select(Heartbeat.at).where(Heartbeat.name == name))
