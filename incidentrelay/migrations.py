"""Migrates and checks the database schema.

The scripts are in ``alembic/`` next to the package in a checkout, and inside the package
in an installed wheel.
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from incidentrelay.db import Database
from incidentrelay.models import Base
from incidentrelay.postgresql import extend_timeouts

_PACKAGE = Path(__file__).parent
_FOLDERS = (_PACKAGE.parent / "alembic", _PACKAGE / "_alembic")
_LOCK = 7_206_001  # the advisory lock of migrations on PostgreSQL


def folder() -> Path:
    """The folder of the migration scripts."""
    for place in _FOLDERS:
        if (place / "env.py").is_file():
            return place
    raise FileNotFoundError("the migration scripts are missing from this installation")


@functools.cache
def head() -> str:
    """The latest revision of this version."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None, "there is always a first migration"
    return revision


def current(database: Database) -> str | None:
    """The revision of the database; None if it is empty."""
    with database.reading.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


class SchemaWatch:
    """Checks that the database is at this version's revision, and caches success."""

    def __init__(self) -> None:
        self._fits = False

    def __call__(self, database: Database) -> tuple[bool, str | None, str]:
        """Return whether it fits, the database's revision and the program's."""
        needed = head()
        if self._fits:
            return True, needed, needed
        actual = current(database)
        self._fits = actual == needed
        return self._fits, actual, needed


def upgrade(database: Database, revision: str = "head") -> None:
    """Upgrade to the latest revision. Concurrent migrations wait for each other."""
    with _connected(database) as config:
        command.upgrade(config, revision)


def downgrade(database: Database, revision: str) -> None:
    with _connected(database) as config:
        command.downgrade(config, revision)


def check(database: Database) -> list[str]:
    """List the differences between the database and the models."""
    with database.reading.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_object": is_ours}
        )
        return [_describe(difference) for difference in compare_metadata(context, Base.metadata)]


def is_ours(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Alembic's ``include_object``: ignores the queue's tables, which may share the database."""
    return not (kind == "table" and reflected and str(name).startswith("huey_"))


def _describe(difference: Any) -> str:
    if isinstance(difference, list):
        return "; ".join(_describe(part) for part in difference)
    return " ".join(str(getattr(part, "name", part)) for part in difference if part is not None)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _connected(database: Database) -> Iterator[Config]:
    """Run all migrations in one transaction, locked against concurrent ones.

    On SQLite, rebuilding a referenced table requires foreign keys to be off, which is
    only possible outside a transaction.
    """
    with database.writing.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            raw: Any = connection.connection.driver_connection
            raw.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                extend_timeouts(connection, None)
                if not sqlite:
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
                yield _config(connection)
        finally:
            if sqlite:
                raw.execute("PRAGMA foreign_keys=ON")
