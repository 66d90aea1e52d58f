"""Fixtures that all tests share.

``database`` is a real one, new for each test: a copy of an empty SQLite file. Tests
marked ``both_databases`` run a second time on PostgreSQL, whose address is
``INCIDENTRELAY_TEST_POSTGRESQL``; where no server answers they are skipped, and in
CI they fail.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, make_url, text
from sqlalchemy.orm import Session

from incidentrelay.db import Database
from incidentrelay.models import Base
from incidentrelay.settings import Settings, load
from tests.support import cast as standing_cast
from tests.support import factories

POSTGRESQL = os.environ.get(
    "INCIDENTRELAY_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1/postgres"
)

_APPS: dict[Settings, Any] = {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    both = metafunc.definition.get_closest_marker("both_databases")
    if both and "backend" in metafunc.fixturenames:
        metafunc.parametrize("backend", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    """sqlite, or postgresql in the second run of a ``both_databases`` test."""
    return getattr(request, "param", "sqlite")


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables and no rows."""
    path = tmp_path_factory.mktemp("template") / "empty.sqlite"
    database = Database(f"sqlite:///{path}", synchronous="OFF")
    Base.metadata.create_all(database.writing)
    database.dispose()
    return path


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Database]:
    """A database of this process alone, dropped at the end."""
    address = make_url(POSTGRESQL)
    server = address.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        admin = psycopg.connect(server, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        reason = f"No PostgreSQL at {address.host}: {error}"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    name = f"incidentrelay_test_{os.getpid()}"
    with admin:
        # One of a process that was killed, whose number has come around again.
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name}")
        database = Database(address.set(database=name).render_as_string(hide_password=False))
        Base.metadata.create_all(database.writing)
        yield database
        database.dispose()
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    admin.close()


@pytest.fixture
def database(backend: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty database with all tables."""
    if backend == "postgresql":
        database = request.getfixturevalue("postgresql")
        _empty(database)
        yield database
        return
    path = request.getfixturevalue("tmp_path") / "test.sqlite"
    shutil.copyfile(request.getfixturevalue("empty_sqlite"), path)
    database = Database(f"sqlite:///{path}", synchronous="OFF")
    yield database
    database.dispose()


def _empty(database: Database) -> None:
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
    with database.writing.begin() as connection:
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))


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
def cast(database: Database) -> standing_cast.Cast:
    """The standing cast, committed (see tests/support/cast.py)."""
    with database.write() as session:
        return standing_cast.build(session)


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
