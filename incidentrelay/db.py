"""Engines and sessions: one way to read, one way to write.

On SQLite a writing transaction begins with BEGIN IMMEDIATE, because a reader that becomes a
writer fails at once if another one wrote in between. SQLite waits by polling, with a long
tail, so the writers of one process queue for the writing pool's single connection instead.
On PostgreSQL readers and writers share a pool.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session, SessionTransaction, sessionmaker

from incidentrelay import facts_stamp, sqlite_locks
from incidentrelay.postgresql import (
    Locked,
    Timeouts,
    extend_timeouts,
    is_deadlock,
    is_locked,
    is_unavailable,
    make_engine,
    waiting_at_most,
)
from incidentrelay.rows import insert_all, reserve_ids, update_by_id
from incidentrelay.settings.declaration import Settings

log = logging.getLogger(__name__)

MOST_HINTS = 100


@dataclass(frozen=True, slots=True)
class Hint:
    """Work that may be due: ``task`` is "sweep" or a key of ``tasks.jobs.HINTS``.

    ``id`` is the row's id. ``at`` None means now.
    """

    task: str
    id: int | None = None
    at: datetime | None = None


class Database:
    """The engines of one process.

    ``sink`` receives the hints of each committed transaction; the wiring sets it. ``memory`` is
    for :func:`process_memory`.
    """

    def __init__(
        self,
        url: str,
        *,
        pool: int = 10,
        synchronous: str = "FULL",
        timeouts: Timeouts | None = None,
    ) -> None:
        self.url = make_url(url)
        self.sink: Callable[[Sequence[Hint]], None] | None = None
        self.memory: dict[str, dict[Any, Any]] = {}
        if self.url.get_backend_name() == "sqlite":
            self._make_folder()
            self.writing = sqlite_locks.make_engine(url, synchronous, writing=True)
            self.reading = sqlite_locks.make_engine(url, synchronous, pool=max(pool, 2))
        else:
            self.writing = make_engine(self.url, pool, timeouts or Timeouts())
            self.reading = self.writing
        facts_stamp.watch(self.writing)
        self._write = sessionmaker(self.writing, expire_on_commit=False, info={"database": self})
        self._read = sessionmaker(self.reading, expire_on_commit=False)

    @classmethod
    def of(cls, settings: Settings) -> "Database":
        return cls(
            settings.sqlalchemy_url,
            pool=settings.database_pool,
            synchronous=settings.sqlite_synchronous,
            timeouts=Timeouts(
                lock=settings.database_lock_timeout,
                statement=settings.database_statement_timeout,
                idle=settings.database_idle_timeout,
                connect=settings.database_connect_timeout,
            ),
        )

    def writer(self) -> Session:
        """A session for a writing transaction; the caller ends it."""
        return self._write()

    def reader(self) -> Session:
        """A session for a transaction that only reads."""
        return self._read()

    @contextmanager
    def write(self, *, longest: timedelta | None = None) -> Iterator[Session]:
        """A writing transaction: committed at the end, rolled back by an exception.

        ``longest`` is the time limit of one statement, if longer than the settings allow.
        """
        with self._write.begin() as session:
            if longest is not None:
                extend_timeouts(session.connection(), longest)
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        with self._read() as session:
            yield session

    def dispose(self) -> None:
        self.writing.dispose()
        self.reading.dispose()

    def _make_folder(self) -> None:
        if self.url.database and self.url.database != ":memory:":
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)


def insert_missing(session: Session, model: type[Any], row: Mapping[str, Any]) -> None:
    """Insert the row unless its key exists; safe under concurrency."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    session.execute(dialect.insert(model).values(**row).on_conflict_do_nothing())


def process_memory(session: Session, name: str) -> dict[Any, Any]:
    """What this process remembers under ``name``, beside its database."""
    database = session.info.get("database")
    memory: dict[str, dict[Any, Any]] = database.memory if database else {}
    return memory.setdefault(name, {})


def hint(session: Session, wake_up: Hint) -> None:
    """Wake a worker when the session's transaction commits.

    Hints only make work prompt. The tables are the truth, so the next sweep makes up for a lost
    hint.
    """
    session.info.setdefault("hints", []).append(wake_up)


@event.listens_for(Session, "after_commit")
def _send_hints(session: Session) -> None:
    if session.in_nested_transaction():
        return
    hints = session.info.pop("hints", [])
    sink = session.info.get("database") and session.info["database"].sink
    if not hints or sink is None:
        return
    if len(hints) > MOST_HINTS:
        at_once = [hint for hint in hints if hint.at is None]
        hints = [*at_once[: MOST_HINTS // 2], Hint("sweep")]
    try:
        sink(hints)
    except Exception:
        log.exception("The queue did not accept a hint; the next sweep will do its work.")


@event.listens_for(Session, "after_soft_rollback")
def _drop_hints(session: Session, previous: SessionTransaction) -> None:
    """Drop the hints of a rolled-back transaction, but not at a savepoint.

    After a savepoint, superfluous hints remain, which is harmless.
    """
    if not previous.nested:
        session.info.pop("hints", None)


__all__ = [
    "Database",
    "Hint",
    "Locked",
    "hint",
    "insert_all",
    "insert_missing",
    "is_deadlock",
    "is_locked",
    "is_unavailable",
    "process_memory",
    "reserve_ids",
    "update_by_id",
    "waiting_at_most",
]
