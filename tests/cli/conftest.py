"""Fixtures for the commands: an ini file, and a way to call a command in this process."""

import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result

from incidentrelay import migrations
from incidentrelay.cli.main import main
from incidentrelay.db import Database

INI = """\
[app:main]
use = call:incidentrelay:main
incidentrelay.public_url = http://127.0.0.1:8080
incidentrelay.secret_key = 0123456789abcdefghijklmnopqrstuvwxyz-tests-only
incidentrelay.sqlalchemy.url = sqlite:///%(here)s/relay.sqlite
incidentrelay.huey.url = sqlite:///%(here)s/queue.sqlite

[server:main]
use = egg:waitress#main
"""


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Commands configure the logging of the whole process; restore it for the next test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(False)
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def ini(tmp_path: Path) -> Path:
    """The ini file of an installation without a database."""
    path = tmp_path / "relay.ini"
    path.write_text(INI, encoding="utf-8")
    return path


@pytest.fixture
def run() -> Callable[..., Result]:
    """``run("migrate", "-c", path, input="…")``: what came out, and the exit code."""

    def call(*arguments: Any, **options: Any) -> Result:
        words = [str(word) for word in arguments]
        result = CliRunner().invoke(main, words, **options)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file that went through all migrations, for copies of it."""
    path = tmp_path_factory.mktemp("migrated") / "relay.sqlite"
    database = Database(f"sqlite:///{path}", synchronous="OFF")
    migrations.upgrade(database)
    database.dispose()
    return path


@pytest.fixture
def migrated(ini: Path, migrated_sqlite: Path) -> Path:
    """The ini file of an installation with an empty, migrated database."""
    shutil.copyfile(migrated_sqlite, ini.with_name("relay.sqlite"))
    return ini


@pytest.fixture
def relay(migrated: Path) -> Iterator[Database]:
    """The database of ``migrated``."""
    database = Database(f"sqlite:///{migrated.parent}/relay.sqlite", synchronous="OFF")
    yield database
    database.dispose()
