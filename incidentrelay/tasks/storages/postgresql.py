"""Huey's storage in PostgreSQL: its workers LISTEN, so messages arrive at once."""

import threading
from typing import Any

from huey.storage import PostgresStorage
from sqlalchemy import make_url

from incidentrelay.postgresql import BoundedConnection, Timeouts, connect

# Requests wait for the queue, so it must answer soon. Sweeps make up for what is lost.
_TIMEOUTS = Timeouts(lock=3, statement=3, idle=3, connect=2)
_PATIENCE = 3.0
# How long a thread listens before it looks by itself; less than the patience.
_LISTEN_SECONDS = 2
# The queue may be lost, so nobody waits for the disk.
_OPTIONS = "-c synchronous_commit=off"
# Of the lock under which the first process creates the tables.
_LOCK = 0x1C1DE27


class BoundedPostgresStorage(PostgresStorage):  # type: ignore[misc]
    """Its connections cannot hang, and its tables are created when first needed.

    Nothing connects before, so that a queue that is down keeps no process from starting.
    """

    def __init__(self, name: str, url: str) -> None:
        address = make_url(url)
        options = f"{_OPTIONS} {address.query.get('options', '')}".rstrip()
        self._url = address.update_query_dict({"options": options})
        self._lock = threading.Lock()
        self._created = False
        self._listening: list[BoundedConnection] = []
        super().__init__(
            name, connection=self._open, read_timeout=_LISTEN_SECONDS, create_tables=False
        )

    def _open(self) -> BoundedConnection:
        connection = connect(self._url, _TIMEOUTS, _PATIENCE)
        connection.autocommit = True
        with self._lock:
            if not self._created:
                self._create_tables(connection)
                self._created = True
        return connection

    def _create_tables(self, connection: BoundedConnection) -> None:
        last = connection.execute("SELECT to_regclass(%s)", (self.table_counter,)).fetchone()
        if last and last[0]:
            return
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            for statement in self.ddl:
                connection.execute(statement)

    def _listen_conn(self) -> BoundedConnection:
        """The connection of this thread. Huey would leave it to the garbage collector."""
        connection: BoundedConnection = super()._listen_conn()
        if connection not in self._listening:
            with self._lock:
                used = [other for other in self._listening if not other.closed]
                self._listening = [*used, connection]
        return connection

    def close(self) -> Any:
        for connection in self._listening:
            connection.close()
        return super().close()

    def initialize_schema(self) -> Any:
        """The tables are created with the first connection."""
