"""Connections to PostgreSQL that cannot hang.

A machine that freezes inside a transaction keeps its locks, and a network that drops packets
reports nothing. The server therefore ends statements that wait and transactions that idle for
too long, and the driver gives up on a server that has fallen silent. Parameters in the URL take
precedence.
"""

import time
from collections.abc import Generator, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import Connection, Engine, create_engine, event, exc, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session

from incidentrelay import json_text

Result = TypeVar("Result")

# The server answers within its own timeout, so the driver waits a little longer than that.
GRACE_SECONDS = 5.0
# A pooled connection is tried before it is used.
PROBE_SECONDS = 3.0
POOL_SECONDS = 10.0
# A host that vanished is noticed after 5 + 3 * 3 seconds.
_NETWORK = {
    "keepalives": "1",
    "keepalives_idle": "5",
    "keepalives_interval": "3",
    "keepalives_count": "3",
    "tcp_user_timeout": "14000",
}

_LOCKED = "55P03"
_DEADLOCKS = frozenset({"40001", "40P01"})
# The driver calls these internal errors: a transaction that was ended while it idled, and
# a write to a standby.
_UNAVAILABLE = frozenset({"25P03", "25006"})


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. ``idle`` is the longest pause between two statements of a transaction."""

    lock: int = 5
    statement: int = 20
    idle: int = 15
    connect: int = 5

    @property
    def options(self) -> str:
        """What libpq sends to the server when it connects."""
        values = {
            "lock_timeout": self.lock,
            "statement_timeout": self.statement,
            "idle_in_transaction_session_timeout": self.idle,
        }
        return " ".join(f"-c {name}={seconds}s" for name, seconds in values.items())


class BoundedConnection(psycopg.Connection[Any]):
    """Gives up on a server that is silent for ``patience`` seconds; None: never."""

    patience: float | None = None

    def wait(self, gen: PQGen[Result], *given: Any, **named: Any) -> Result:
        if self.patience is None:
            return super().wait(gen, *given, **named)
        try:
            return super().wait(_bounded(gen, self.patience), *given, **named)
        except _Silence:
            # Closed, so that the pool does not hand it out again.
            self.close()
            raise psycopg.OperationalError("The database server has fallen silent.") from None


class _Silence(Exception):
    """The server has sent nothing for too long."""


def _bounded(gen: PQGen[Result], seconds: float) -> Generator[Any, Any, Result]:
    """``gen``, until nothing has come for ``seconds``. The driver resumes it at intervals."""
    deadline = time.monotonic() + seconds
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if ready:
                deadline = time.monotonic() + seconds
            elif time.monotonic() > deadline:
                raise _Silence
            wanted = gen.send(ready)
    except StopIteration as end:
        result: Result = end.value
        return result


def connect(url: URL, timeouts: Timeouts, patience: float) -> BoundedConnection:
    """A connection outside of an engine."""
    dialect = url.set(drivername="postgresql+psycopg").get_dialect()()
    given, parameters = dialect.create_connect_args(url)
    return _connect(given, parameters, timeouts, patience)


def _connect(
    given: Sequence[Any], parameters: MutableMapping[str, Any], timeouts: Timeouts, patience: float
) -> BoundedConnection:
    own = parameters.pop("options", "")
    defaults: dict[str, Any] = {**_NETWORK, "connect_timeout": timeouts.connect}
    connection = BoundedConnection.connect(
        *given, **{**defaults, **parameters}, options=f"{timeouts.options} {own}".rstrip()
    )
    connection.patience = patience
    return connection


def make_engine(url: URL, pool: int, timeouts: Timeouts) -> Engine:
    patience = timeouts.statement + GRACE_SECONDS
    engine = create_engine(
        url,
        pool_size=pool,
        max_overflow=0,
        pool_timeout=POOL_SECONDS,
        json_serializer=json_text.dump,
        json_deserializer=json_text.load,
    )

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, given: Any, parameters: dict[str, Any]) -> Any:
        return _connect(given, parameters, timeouts, patience)

    @event.listens_for(engine, "connect")
    def note(_connection: Any, record: Any) -> None:
        record.info["new"] = True

    @event.listens_for(engine, "checkout")
    def probe(connection: Any, record: Any, _proxy: Any) -> None:
        if not record.info.pop("new", False):
            _probe(connection)
        connection.patience = patience

    return engine


def _probe(connection: BoundedConnection) -> None:
    """Raises InvalidatePoolError if the server does not answer: the others are dead too."""
    connection.patience = PROBE_SECONDS
    try:
        connection.autocommit = True
        connection.execute("SELECT 1")
        connection.autocommit = False
    except psycopg.Error as error:
        raise exc.InvalidatePoolError from error


def extend_timeouts(connection: Connection, longest: timedelta | None) -> None:
    """Let the statements of this transaction take ``longest``; None: as long as they need.

    Without a limit, waiting for locks and pauses between statements have none either.
    """
    if connection.dialect.name != "postgresql":
        return
    seconds = 0 if longest is None else int(longest.total_seconds())
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{seconds}s'")
    if longest is None:
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
    driver: Any = connection.connection.driver_connection
    driver.patience = seconds + GRACE_SECONDS if seconds else None


def is_locked(error: DBAPIError) -> bool:
    """Whether another transaction held a lock for too long."""
    return getattr(error.orig, "sqlstate", None) == _LOCKED


def is_deadlock(error: DBAPIError) -> bool:
    """Whether the transaction gave way to another one; trying again helps."""
    return getattr(error.orig, "sqlstate", None) in _DEADLOCKS


def is_unavailable(error: DBAPIError) -> bool:
    """Whether the database failed, as opposed to the statement; trying again may help."""
    return (
        isinstance(error, OperationalError | InterfaceError)
        or error.connection_invalidated
        or getattr(error.orig, "sqlstate", None) in _UNAVAILABLE
    )


class Locked(Exception):
    """Another transaction did not let go of a row in time."""


@contextmanager
def waiting_at_most(session: Session, limit: timedelta) -> Iterator[None]:
    """Raises Locked if a row is not free within ``limit``; the transaction stays usable.

    SQLite has no locks of rows.
    """
    if session.get_bind().dialect.name != "postgresql":
        yield
        return
    milliseconds = max(int(limit.total_seconds() * 1000), 1)
    try:
        with session.begin_nested():
            session.execute(text(f"SET LOCAL lock_timeout = {milliseconds}"))
            yield
            session.execute(text("SET LOCAL lock_timeout TO DEFAULT"))
    except OperationalError as error:
        if not is_locked(error):
            raise
        raise Locked from error
