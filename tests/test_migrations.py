"""Migrations: one line of them, forwards and back, equal to the models, with data in place."""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import make_url, text

from incidentrelay import migrations
from incidentrelay.db import Database
from incidentrelay.models import Group, Team
from tests.conftest import POSTGRESQL


@pytest.fixture(params=["sqlite", "postgresql"])
def blank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path}/blank.sqlite", synchronous="OFF")
        yield database
        database.dispose()
        return
    request.getfixturevalue("postgresql")
    address = make_url(POSTGRESQL)
    server = address.set(drivername="postgresql").render_as_string(hide_password=False)
    name = f"incidentrelay_blank_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name}")
        url = address.set(database=name).render_as_string(hide_password=False)
        database = Database(url)
        yield database
        database.dispose()
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    admin.close()


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory(str(migrations.folder())).get_heads()) == 1


@pytest.mark.xdist_group("blank")
def test_an_upgraded_database_has_what_the_models_say(blank: Database) -> None:
    assert migrations.current(blank) is None
    migrations.upgrade(blank)
    assert migrations.current(blank) == migrations.head()
    assert migrations.check(blank) == []


@pytest.mark.xdist_group("blank")
def test_check_names_what_is_missing(blank: Database) -> None:
    migrations.upgrade(blank)
    with blank.writing.begin() as connection:
        connection.execute(text("DROP TABLE heartbeats"))
    assert any("heartbeats" in difference for difference in migrations.check(blank))


@pytest.mark.xdist_group("blank")
def test_it_goes_back_and_forth_with_data_in_it(blank: Database, now: datetime) -> None:
    migrations.upgrade(blank)
    with blank.write() as session:
        stamps = {"created_at": now, "updated_at": now}
        group = Group(slug="sre", name="SRE", **stamps)
        session.add(group)
        session.flush()
        session.add(Team(slug="core", name="Core", group_id=group.id, **stamps))
    migrations.downgrade(blank, "base")
    with blank.reading.connect() as connection:
        assert not blank.reading.dialect.has_table(connection, "teams")
    migrations.upgrade(blank)
    assert migrations.check(blank) == []
