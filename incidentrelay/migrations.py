"""Migrates and checks the database schema.

The scripts are in ``alembic/`` beside the package in a checkout, and inside the
package in an installed wheel.
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

_PACKAGE = Path(__file__).parent
_FOLDERS = (_PACKAGE.parent / "alembic", _PACKAGE / "_alembic")
_LOCK = 7_206_001  # the advisory lock of migrations on PostgreSQL


def folder() -> Path:
    """Where the migration scripts are."""
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
    """The revision of the database; None: it is empty."""
    with database.reading.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


class SchemaWatch:
    """Whether the database is at this version's revision; queried until it is."""

    def __init__(self) -> None:
        self._fits = False

    def __call__(self, database: Database) -> tuple[bool, str | None, str]:
        """(it fits, the database's revision, the program's)."""
        needed = head()
        if self._fits:
            return True, needed, needed
        found = current(database)
        self._fits = found == needed
        return self._fits, found, needed


def upgrade(database: Database, revision: str = "head") -> None:
    """Upgrade to the latest revision. Concurrent migrations wait for each other."""
    with _connected(database) as config:
        command.upgrade(config, revision)


def downgrade(database: Database, revision: str) -> None:
    with _connected(database) as config:
        command.downgrade(config, revision)


def check(database: Database) -> list[str]:
    """The differences between the database and the models; empty if they match."""
    with database.reading.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_object": is_ours}
        )
        return [_describe(difference) for difference in compare_metadata(context, Base.metadata)]


def is_ours(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Alembic's ``include_object``: a queue's tables may share the database."""
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
    """One transaction for all migrations; on SQLite the writer's own lock guards it.

    Rebuilding a table that others refer to needs foreign keys off, which SQLite
    only allows outside of a transaction.
    """
    with database.writing.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            raw: Any = connection.connection.driver_connection
            raw.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                if not sqlite:
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
                yield _config(connection)
        finally:
            if sqlite:
                raw.execute("PRAGMA foreign_keys=ON")
