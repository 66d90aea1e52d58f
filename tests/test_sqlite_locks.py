"""How the writers of several processes wait for SQLite's lock."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from incidentrelay import sqlite_locks
from incidentrelay.db import Database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "relay.sqlite"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{path}")
    yield database
    database.dispose()


@pytest.fixture
def other(path: Path, database: Database) -> Iterator[sqlite3.Connection]:
    """Another process that holds the lock."""
    with database.write() as session:
        session.execute(text("CREATE TABLE notes (id INTEGER)"))
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    connection.close()


def busy_timeout(database: Database) -> int:
    with database.write() as session:
        return int(session.execute(text("PRAGMA busy_timeout")).scalar_one())


def test_a_writer_takes_the_first_gap(
    database: Database, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            other.execute("COMMIT")

    monkeypatch.setattr(sqlite_locks.time, "sleep", wait)
    with database.write() as session:
        session.execute(text("INSERT INTO notes VALUES (1)"))
    assert waits == [pytest.approx(0.003)] * 3
    assert busy_timeout(database) == sqlite_locks.BUSY_TIMEOUT_MS


def test_a_lock_that_stays_is_an_error_and_the_connection_stays_usable(
    database: Database, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_locks, "BUSY_TIMEOUT_MS", 0)
    with pytest.raises(OperationalError, match="locked"), database.write() as session:
        session.execute(text("INSERT INTO notes VALUES (1)"))
    monkeypatch.undo()
    other.execute("COMMIT")
    with database.write() as session:
        session.execute(text("INSERT INTO notes VALUES (1)"))
    assert busy_timeout(database) == sqlite_locks.BUSY_TIMEOUT_MS
