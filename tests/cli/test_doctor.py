"""``doctor``: each check fails alone, and says what to do."""

import dataclasses
import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import text

from incidentrelay.cli.doctor.checks import CHECKS, CheckOutcome, Diagnosis, Installation, diagnose
from incidentrelay.db import Database
from incidentrelay.models import Heartbeat
from incidentrelay.services.common import heartbeats

Run = Callable[..., Result]
Break = Callable[[Path, Database], None]


@pytest.fixture
def healthy(migrated: Path, relay: Database) -> Path:
    """An installation whose worker has just been seen."""
    with relay.write() as session:
        heartbeats.record_heartbeat(session, heartbeats.WORKER, datetime.now(UTC))
    return migrated


def outcomes(result: Result) -> dict[str, str]:
    return {each["name"]: each["outcome"] for each in json.loads(result.stdout)["checks"]}


def test_all_is_well(run: Run, healthy: Path) -> None:
    result = run("doctor", "-c", healthy)
    assert result.exit_code == 0, result.stdout
    lines = result.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", check.name] for check in CHECKS]
    document = json.loads(run("doctor", "-c", healthy, "--json").stdout)
    assert document["ok"] is True
    assert [each["name"] for each in document["checks"]] == [check.name for check in CHECKS]


def replace(ini: Path, old: str, new: str) -> None:
    content = ini.read_text(encoding="utf-8")
    assert old in content
    ini.write_text(content.replace(old, new), encoding="utf-8")


def without_secret(ini: Path, _: Database) -> None:
    replace(ini, "0123456789abcdefghijklmnopqrstuvwxyz-tests-only", "short")


def without_database(ini: Path, _: Database) -> None:
    replace(ini, "/relay.sqlite", "/nowhere/relay.sqlite")


def without_server(ini: Path, _: Database) -> None:
    url = "postgresql+psycopg://relay:geheim@127.0.0.1:1/relay"
    replace(ini, "sqlite:///%(here)s/relay.sqlite", url)


def empty(ini: Path, _: Database) -> None:
    ini.with_name("empty.sqlite").touch()
    replace(ini, "/relay.sqlite", "/empty.sqlite")


def older(_: Path, relay: Database) -> None:
    with relay.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))


def without_index(_: Path, relay: Database) -> None:
    with relay.write() as session:
        session.execute(text("DROP INDEX uq_users_username"))


def without_queue(ini: Path, _: Database) -> None:
    replace(ini, "/queue.sqlite", "/nowhere/queue.sqlite")


def without_redis(ini: Path, _: Database) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    replace(ini, "sqlite:///%(here)s/queue.sqlite", f"redis://127.0.0.1:{port}/0")


def without_worker(_: Path, relay: Database) -> None:
    with relay.write() as session:
        session.execute(text("DELETE FROM heartbeats"))


def silent_worker(_: Path, relay: Database) -> None:
    with relay.write() as session:
        long_ago = datetime.now(UTC) - timedelta(minutes=10)
        session.get_one(Heartbeat, heartbeats.WORKER).at = long_ago


@pytest.mark.parametrize(
    ("damage", "name", "sentence", "advice"),
    [
        (without_secret, "config", "secret_key", "incidentrelay settings"),
        (without_database, "database", "There is no file", "incidentrelay.sqlalchemy.url"),
        (without_server, "database", "refused", "Start the database server"),
        (empty, "schema", "The database is empty.", "incidentrelay migrate -c"),
        (older, "schema", "revision 0001, but", "incidentrelay migrate -c"),
        (without_index, "schema", "uq_users_username", "incidentrelay migrate -c"),
        (without_queue, "queue", "unable to open", "incidentrelay.huey.url"),
        (without_redis, "queue", "The queue cannot be used", "incidentrelay.huey.url"),
        (without_worker, "worker", "No worker has been seen yet", "incidentrelay worker -c"),
        (silent_worker, "worker", "The last worker was seen 6", "incidentrelay worker -c"),
    ],
)
def test_each_failure_says_what_to_do(
    run: Run, healthy: Path, relay: Database, damage: Break, name: str, sentence: str, advice: str
) -> None:
    damage(healthy, relay)
    result = run("doctor", "-c", healthy)
    assert result.exit_code == 1
    (failed,) = [line for line in result.stdout.splitlines() if line.startswith("FAILED")]
    assert failed.split()[1] == name
    assert sentence in failed
    assert advice in failed.partition(" Try: ")[2]
    assert "geheim" not in result.output
    found = outcomes(run("doctor", "-c", healthy, "--json"))
    assert [key for key, outcome in found.items() if outcome == "failed"] == [name]
    needing = {check.name for check in CHECKS if found.get(check.needs, "ok") != "ok"}
    assert {key for key, outcome in found.items() if outcome == "skipped"} == needing


def diagnosis(
    name: str, config: Path, database: Database, now: Callable[[], datetime]
) -> Diagnosis:
    """What one check finds, without those that it needs."""
    installation = Installation(config, now)
    installation.__dict__["database"] = database
    (check,) = [check for check in CHECKS if check.name == name]
    (found,) = diagnose(installation, [dataclasses.replace(check, needs="")])
    return found


def test_a_full_disk(relay: Database, healthy: Path) -> None:
    with relay.writing.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    found = diagnosis("disk", healthy, relay, lambda: datetime.now(UTC))
    assert found.outcome is CheckOutcome.FAILED
    assert "disk is full" in found.sentence
    assert "df -h" in found.advice


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("ahead", "others", "sentence"),
    [
        (0, {}, None),
        (-60, {}, "HERE is 60.0 s behind"),
        (60, {}, "HERE is 60.0 s ahead"),
        (0, {"web-2": 7.5}, "web-2 is 7.5 s ahead"),
    ],
)
def test_clocks(
    database: Database, tmp_path: Path, ahead: int, others: dict[str, float], sentence: str | None
) -> None:
    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=ahead)

    with database.write() as session:
        for machine, offset in others.items():
            row = Heartbeat(name=f"clock:{machine}", at=clock(), clock_offset=offset)
            session.add(row)
    found = diagnosis("clocks", tmp_path / "relay.ini", database, clock)
    if sentence is None:
        assert found.outcome is CheckOutcome.OK
    else:
        assert found.outcome is CheckOutcome.FAILED
        assert sentence.replace("HERE", socket.gethostname()) in found.sentence
        assert "timedatectl" in found.advice
