"""Heartbeats of the parts of the system."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from incidentrelay import db
from incidentrelay.models import Heartbeat

WORKER = "worker"
SILENT_AFTER = timedelta(minutes=5)
# Pages are late or early by as much as a clock is wrong.
LARGEST_OFFSET = timedelta(seconds=5)
_CLOCK = "clock:"


@dataclass(frozen=True, slots=True)
class WrongClock:
    """A machine whose clock differs from the database's; ``seconds`` > 0: it is ahead."""

    machine: str
    seconds: float


def record_heartbeat(session: Session, name: str, now: datetime) -> None:
    """Record that ``name`` is alive at ``now``. Several workers may do so at once."""
    db.insert_missing(session, Heartbeat, {"name": name, "at": now})
    session.execute(update(Heartbeat).where(Heartbeat.name == name).values(at=now))


def last_heartbeat(session: Session, name: str) -> datetime | None:
    return session.scalar(select(Heartbeat.at).where(Heartbeat.name == name))


def is_silent(seen_at: datetime | None, now: datetime) -> bool:
    """Whether a heartbeat is missing: none yet, or none for more than SILENT_AFTER.

    One from the future proves nothing: a clock is wrong, or was set back since.
    """
    return seen_at is None or abs(now - seen_at) > SILENT_AFTER


def measure_clock(session: Session, now: datetime) -> float | None:
    """How many seconds ``now``, just read, is ahead of the database's clock.

    None on SQLite, which has no clock of its own.
    """
    if session.get_bind().dialect.name != "postgresql":
        return None
    there: datetime = session.scalars(select(func.clock_timestamp())).one()
    return (now - there).total_seconds()


def record_clock(session: Session, machine: str, now: datetime) -> None:
    """Record how wrong the clock of ``machine`` is; ``now`` was just read from it."""
    offset = measure_clock(session, now)
    if offset is None:
        return
    name = f"{_CLOCK}{machine[:50]}"
    record_heartbeat(session, name, now)
    session.execute(update(Heartbeat).where(Heartbeat.name == name).values(clock_offset=offset))


def list_wrong_clocks(session: Session, now: datetime) -> list[WrongClock]:
    """The machines whose clock was wrong when they last measured it, by name.

    Empty on SQLite, which has no clock of its own.
    """
    if session.get_bind().dialect.name != "postgresql":
        return []
    query = (
        select(Heartbeat.name, Heartbeat.clock_offset)
        .where(
            Heartbeat.name.startswith(_CLOCK),
            Heartbeat.at > now - SILENT_AFTER,
            func.abs(Heartbeat.clock_offset) > LARGEST_OFFSET.total_seconds(),
        )
        .order_by(Heartbeat.name)
    )
    return [
        WrongClock(name.removeprefix(_CLOCK), offset or 0)
        for name, offset in session.execute(query)
    ]


def prune_clocks(session: Session, now: datetime) -> None:
    """Forget machines that have not measured for a day: containers change their names."""
    old = (Heartbeat.name.startswith(_CLOCK), Heartbeat.at < now - timedelta(days=1))
    session.execute(delete(Heartbeat).where(*old).execution_options(synchronize_session=False))
