"""``migrate`` and ``check-schema``."""

from collections.abc import Callable
from pathlib import Path

from click.testing import Result
from sqlalchemy import text

from incidentrelay import migrations
from incidentrelay.db import Database

Run = Callable[..., Result]


def test_migrating_twice_says_so(run: Run, ini: Path) -> None:
    head = migrations.head()
    first, second = run("migrate", "-c", ini), run("migrate", "-c", ini)
    assert first.stdout == f"The database is up to date now (revision {head}).\n"
    assert second.stdout == f"The database was up to date already (revision {head}).\n"


def test_a_migrated_database_passes_the_check(run: Run, migrated: Path) -> None:
    result = run("check-schema", "-c", migrated)
    assert result.exit_code == 0
    assert result.stdout == (
        "Schema check OK: all tables, columns and indexes are as the program expects.\n"
    )


def test_differences_are_told_one_a_line(run: Run, migrated: Path, relay: Database) -> None:
    with relay.write() as session:
        session.execute(text("DROP INDEX uq_users_username"))
        session.execute(text("ALTER TABLE users ADD COLUMN shoe_size INTEGER"))
    result = run("check-schema", "-c", migrated)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert any("uq_users_username" in line for line in lines)
    assert any("shoe_size" in line for line in lines)
    assert "Schema check OK" not in result.stdout


def test_a_database_of_a_newer_version_is_refused(
    run: Run, migrated: Path, relay: Database
) -> None:
    with relay.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'future'"))
    for command in ("migrate", "check-schema", "serve"):
        result = run(command, "-c", migrated)
        assert result.exit_code == 1
        assert "The database has revision future" in result.stderr
