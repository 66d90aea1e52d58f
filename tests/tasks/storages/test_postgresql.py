"""A queue in PostgreSQL: its connections, its tables, and its password."""

import threading
from datetime import UTC, datetime

import psycopg
import pytest
from huey import Huey
from sqlalchemy import make_url

from incidentrelay import migrations
from incidentrelay.db import Database, Hint
from incidentrelay.tasks.queue import Queue, make_huey
from tests.tasks.conftest import MakeHuey

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)


@pytest.fixture
def queue_kind() -> str:
    return "postgresql"


def test_nothing_connects_before_it_is_used() -> None:
    make_huey("postgresql://relay:hunter2@127.0.0.1:1/none").storage.close()


def test_errors_do_not_contain_the_password() -> None:
    queue = Queue(make_huey("postgresql://relay:hunter2@127.0.0.1:1/none"), lambda: NOW)
    with pytest.raises(psycopg.OperationalError) as caught:
        queue.put([Hint("sweep")])
    assert "hunter2" not in str(caught.value)


def test_processes_that_start_together_create_the_tables_once(blank_postgresql: str) -> None:
    hueys = [make_huey(blank_postgresql) for _ in range(4)]
    failures: list[Exception] = []

    def use(huey: Huey) -> None:
        try:
            huey.storage.enqueue(b"x")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=use, args=(huey,)) for huey in hueys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert hueys[0].storage.queue_size() == 4
    for huey in hueys:
        huey.storage.close()


def test_a_connection_that_was_ended_is_opened_again(process: MakeHuey, queue_url: str) -> None:
    web = Queue(process(), lambda: NOW)
    web.put([Hint("deliver", 7)])
    with psycopg.connect(queue_url.replace("+psycopg", ""), autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with pytest.raises(psycopg.OperationalError):
        web.huey.storage.queue_size()
    assert web.huey.pending_count() == 1


def test_its_connections_wait_for_no_disk_and_not_for_long(blank_postgresql: str) -> None:
    url = make_url(blank_postgresql).update_query_dict({"options": "-c work_mem=8MB"})
    huey = make_huey(url.render_as_string(hide_password=False))
    shown = {
        name: huey.storage.sql(f"SHOW {name}", results=True)[0][0]
        for name in ("synchronous_commit", "work_mem", "statement_timeout", "lock_timeout")
    }
    huey.storage.close()
    assert shown == {
        "synchronous_commit": "off",
        "work_mem": "8MB",
        "statement_timeout": "3s",
        "lock_timeout": "3s",
    }


def test_its_tables_are_no_part_of_the_schema(blank_postgresql: str) -> None:
    """They may be in the database of the data."""
    database = Database(blank_postgresql)
    migrations.upgrade(database)
    huey = make_huey(blank_postgresql)
    huey.storage.enqueue(b"x")
    huey.storage.close()
    assert migrations.check(database) == []
    database.dispose()
