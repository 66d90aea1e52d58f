"""Fixtures that all tests share.

``database`` is a real one, with new rows for each test: a copy of a SQLite file. Tests marked
``both_databases`` run a second time on PostgreSQL, whose address is ``TEST_POSTGRESQL_URL``;
without a server they are skipped, and in CI they fail.

Each process has one engine for each kind of database, because an engine compiles each
statement once. It also builds the standing cast once for each: tests that ask for
``cast`` begin with a copy of its rows, all others with empty tables.
"""

import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, exists, make_url, select
from sqlalchemy.orm import Session

from incidentrelay.db import Database
from incidentrelay.models import AlertLabel, Base
from incidentrelay.settings.declaration import Settings
from incidentrelay.settings.loading import load
from tests.support import cast as standing_cast
from tests.support import factories

POSTGRESQL = os.environ.get(
    "TEST_POSTGRESQL_URL", "postgresql+psycopg://postgres@127.0.0.1/postgres"
)

_APPS: dict[Settings, Any] = {}
# Each table after those that it refers to.
# The stamp is no row of a test: whatever changes the others draws a new one.
_TABLES = [table for table in Base.metadata.sorted_tables if table.name != "facts_stamp"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    both = metafunc.definition.get_closest_marker("both_databases")
    if both and "backend" in metafunc.fixturenames:
        metafunc.parametrize("backend", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    """sqlite, or postgresql in the second run of a ``both_databases`` test."""
    return getattr(request, "param", "sqlite")


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A database of this process alone, whose file ``database`` makes anew for each test."""
    path = tmp_path_factory.mktemp("sqlite") / "test.sqlite"
    return Database(f"sqlite:///{path}", synchronous="OFF")


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables and no rows."""
    path = tmp_path_factory.mktemp("template") / "empty.sqlite"
    database = Database(f"sqlite:///{path}", synchronous="OFF")
    Base.metadata.create_all(database.writing)
    database.dispose()
    return path


@dataclass(frozen=True)
class StoredCast:
    """The standing cast's rows, and the value that names them.

    ``rows`` is a SQLite file, or the statements that fill an empty PostgreSQL database.
    ``value`` is pickled, so that each test gets objects of its own.
    """

    rows: Path | str
    value: bytes


@pytest.fixture(scope="session")
def sqlite_with_cast(empty_sqlite: Path) -> StoredCast:
    """A file that contains the cast and nothing else."""
    path = empty_sqlite.with_name("cast.sqlite")
    shutil.copyfile(empty_sqlite, path)
    database = Database(f"sqlite:///{path}", synchronous="OFF")
    value = _build_cast(database)
    database.dispose()
    return StoredCast(path, value)


def _build_cast(database: Database) -> bytes:
    with database.write() as session:
        cast = standing_cast.build(session)
    return pickle.dumps(cast)


class NoServer(Exception):
    """No PostgreSQL answers where TEST_POSTGRESQL_URL says."""


@contextmanager
def fresh_postgresql(purpose: str) -> Iterator[str]:
    """The URL of an empty database of this process, dropped at the end; raises NoServer."""
    address = make_url(POSTGRESQL)
    server = address.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        admin = psycopg.connect(server, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        raise NoServer(f"No PostgreSQL at {address.host}: {error}") from error
    name = f"incidentrelay_{purpose}_{os.getpid()}"
    with admin:
        # One of a process that was killed, whose number has come around again.
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name}")
        try:
            yield address.set(database=name).render_as_string(hide_password=False)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    admin.close()


@contextmanager
def _needed_postgresql(purpose: str) -> Iterator[str]:
    """The same for fixtures: without a server tests are skipped, and in CI they fail."""
    try:
        with fresh_postgresql(purpose) as url:
            yield url
    except NoServer as error:
        pytest.fail(str(error)) if os.environ.get("CI") else pytest.skip(str(error))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Database]:
    """A database of this process alone, dropped at the end. Commits do not wait for the disk."""
    with _needed_postgresql("test") as url:
        hasty = make_url(url).update_query_dict({"options": "-c synchronous_commit=off"})
        database = Database(hasty.render_as_string(hide_password=False))
        Base.metadata.create_all(database.writing)
        yield database
        database.dispose()


@pytest.fixture(scope="session")
def second_postgresql() -> Iterator[str]:
    """The URL of a second database of this process, for ``blank_postgresql``."""
    with _needed_postgresql("blank") as url:
        yield url


@pytest.fixture
def blank_postgresql(second_postgresql: str) -> str:
    """The URL of a PostgreSQL database without any table.

    It is the same database for all tests of a process: before PostgreSQL drops one, it
    writes everything in the server to the disk, and that takes seconds.
    """
    address = make_url(second_postgresql).set(drivername="postgresql")
    with psycopg.connect(address.render_as_string(hide_password=False), autocommit=True) as owner:
        # What an earlier test's processes had open when they were killed.
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        owner.execute("DROP SCHEMA public CASCADE")
        owner.execute("CREATE SCHEMA public")
    owner.close()
    return second_postgresql


@pytest.fixture(scope="session")
def postgresql_with_cast(postgresql: Database) -> StoredCast:
    """A second schema of ``postgresql``, with a copy of each table in which the cast has rows."""
    _empty(postgresql)
    value = _build_cast(postgresql)
    statements = []
    with postgresql.writing.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA standing_cast")
        for table in _TABLES:
            name = table.name
            if name == AlertLabel.__tablename__:
                continue  # Triggers fill it.
            if not connection.scalar(select(exists(table.select()))):
                continue
            connection.exec_driver_sql(f"CREATE TABLE standing_cast.{name} AS TABLE {name}")
            statements.append(f"INSERT INTO {name} TABLE standing_cast.{name}")
            if (key := table.autoincrement_column) is not None:
                sequence = f"pg_get_serial_sequence('{name}', '{key.name}')"
                statements.append(f"SELECT setval({sequence}, max({key.name})) FROM {name}")
    return StoredCast(";".join(statements), value)


@pytest.fixture
def stored_cast(backend: str, request: pytest.FixtureRequest) -> StoredCast | None:
    """What ``database`` and ``cast`` copy; None in a test without ``cast``."""
    if "cast" not in request.fixturenames:
        return None
    stored: StoredCast = request.getfixturevalue(f"{backend}_with_cast")
    return stored


@pytest.fixture
def database(
    backend: str, stored_cast: StoredCast | None, request: pytest.FixtureRequest
) -> Iterator[Database]:
    """A database with all tables. They are empty, but for the cast of a test with ``cast``."""
    database: Database = request.getfixturevalue(backend)
    database.sink = None
    if backend == "postgresql":
        _empty(database)
        if stored_cast:
            with database.writing.begin() as connection:
                connection.exec_driver_sql(stored_cast.rows)
        yield database
        return
    _replace(database, stored_cast.rows if stored_cast else request.getfixturevalue("empty_sqlite"))
    yield database
    database.dispose()


def _replace(database: Database, rows: Path) -> None:
    """Create a new file; a process that still has the old one open does not see it."""
    path = Path(database.url.database)
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    shutil.copyfile(rows, path)


def _empty(database: Database) -> None:
    """Delete all rows and start all sequences anew.

    TRUNCATE makes a new file for each table and index, and takes twenty times as long.
    """
    deletions = [f"DELETE FROM {table.name}" for table in reversed(_TABLES)]
    with database.writing.begin() as connection:
        connection.exec_driver_sql(";".join(deletions))
        connection.exec_driver_sql(
            "SELECT setval((schemaname || '.' || sequencename)::regclass, 1, false)"
            " FROM pg_sequences WHERE last_value IS NOT NULL"
        )


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A writing session, rolled back at the end.

    It holds SQLite's only writing connection: a test that also drives the
    application fills the database in ``with database.write() as session`` instead.
    """
    session = database.writer()
    yield session
    session.rollback()
    session.close()


@pytest.fixture
def now() -> datetime:
    """The instant at which every test happens: a Tuesday, 12:00 UTC."""
    return factories.NOW


@pytest.fixture
def settings(database: Database) -> Settings:
    ini = {
        "incidentrelay.public_url": "http://localhost",
        "incidentrelay.secret_key": "0123456789abcdefghijklmnopqrstuvwxyz-tests-only",
        "incidentrelay.sqlalchemy.url": database.url.render_as_string(hide_password=False),
        "incidentrelay.huey.url": "memory:",
    }
    return load(ini, {})


@pytest.fixture
def cast(database: Database, stored_cast: StoredCast) -> standing_cast.Cast:
    """The standing cast, committed (see tests/support/cast.py)."""
    cast: standing_cast.Cast = pickle.loads(stored_cast.value)
    return cast


@pytest.fixture
def app(database: Database, settings: Settings, now: datetime) -> Any:
    """The real application on the test's database, at the test's instant.

    Tests take turns with one application for each variant of the settings, because
    making one takes longer than most tests.
    """
    from incidentrelay import make_app

    variant = replace(settings, sqlalchemy_url="")
    if variant not in _APPS:
        _APPS[variant] = make_app(settings, database=database)
    app = _APPS[variant]
    app.registry["database"] = database
    app.registry["clock"] = lambda: now
    # The tests' tables come from the models, without a note of their revision.
    app.registry["schema"] = lambda _database: (True, "head", "head")
    return app


@pytest.fixture
def testapp(app: Any) -> Any:
    """A browser or client that has not signed in."""
    from tests.support.client import Client

    return Client(app)


@pytest.fixture
def login_as(app: Any, cast: standing_cast.Cast) -> Callable[[str], Any]:
    """Somebody's browser: ``login_as("gail").get("/api/me")``."""
    from tests.support.client import Client

    def login(name: str) -> Any:
        return Client(app, cookie=cast.cookies[name])

    return login


@pytest.fixture
def query_count(database: Database) -> Callable[[], Any]:
    """Statements sent while it is open: ``with query_count() as queries: ...``."""

    @contextmanager
    def counting() -> Iterator[list[str]]:
        statements: list[str] = []

        def note(_c: Any, _cur: Any, statement: str, _p: Any, _ctx: Any, _many: bool) -> None:
            if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")):
                statements.append(statement)

        engines = {database.writing, database.reading}
        for engine in engines:
            event.listen(engine, "before_cursor_execute", note)
        try:
            yield statements
        finally:
            for engine in engines:
                event.remove(engine, "before_cursor_execute", note)

    return counting
