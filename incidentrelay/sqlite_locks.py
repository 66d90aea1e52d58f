"""SQLite's engines, and how its writers wait for each other."""

import sqlite3
import time
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

from incidentrelay import json_text

BUSY_TIMEOUT_MS = 15_000
_BEGIN_WRITING = "BEGIN IMMEDIATE"
_LOOK_AGAIN_SECONDS = 0.003


def make_engine(url: str, synchronous: str, *, pool: int = 1, writing: bool = False) -> Engine:
    """An engine whose transactions only read, or with ``writing`` begin with the write lock."""
    engine = create_engine(
        url,
        pool_size=pool,
        max_overflow=0,
        connect_args={"check_same_thread": False},
        json_serializer=json_text.dump,
        json_deserializer=json_text.load,
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        # The driver's implicit transactions are off; "begin" below starts ours.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        if writing:
            _begin_writing(connection)
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def _begin_writing(connection: Connection) -> None:
    """Begin a writing transaction as soon as no other process has one.

    SQLite's own busy handler slows down to ten attempts a second, and misses the short gaps
    between the transactions of a busy process. In a storm, workers starved.
    """
    driver: Any = connection.connection.dbapi_connection
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while time.monotonic() < deadline:
            try:
                driver.execute(_BEGIN_WRITING)
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    break
                time.sleep(_LOOK_AGAIN_SECONDS)
        # The last attempt fails with the library's own error.
        connection.exec_driver_sql(_BEGIN_WRITING)
    finally:
        driver.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
