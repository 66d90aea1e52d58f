"""Frozen transactions and silent connections block nobody for long."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from incidentrelay import db
from incidentrelay.db import Database
from incidentrelay.models import Group
from incidentrelay.postgresql import Timeouts, extend_timeouts
from incidentrelay.settings.declaration import Settings
from tests.support import factories
from tests.support.mute_proxy import MuteProxy

HASTY = Timeouts(lock=1, statement=2, idle=1, connect=2)


@pytest.fixture
def backend() -> str:
    return "postgresql"


@contextmanager
def connected(url: Any, timeouts: Timeouts, **options: Any) -> Iterator[Database]:
    rendered = url.render_as_string(hide_password=False)
    database = Database(rendered, timeouts=timeouts, **options)
    try:
        yield database
    finally:
        database.dispose()


@pytest.fixture
def hasty(database: Database) -> Iterator[Database]:
    """Another machine's connections to the same database, with short timeouts."""
    with connected(database.url, HASTY) as other:
        yield other


@pytest.fixture
def group_id(database: Database) -> int:
    with database.write() as session:
        return factories.group(session, "ops").id


def lock(session: Any, group_id: int) -> None:
    session.scalars(select(Group).where(Group.id == group_id).with_for_update()).one()


def test_every_connection_has_the_timeouts_of_the_settings(
    settings: Settings, database: Database
) -> None:
    url = database.url.update_query_dict({"options": "-c work_mem=5MB"})
    changed = replace(
        settings,
        sqlalchemy_url=url.render_as_string(hide_password=False),
        database_lock_timeout=7,
        database_statement_timeout=8,
        database_idle_timeout=9,
    )
    other = Database.of(changed)
    names = "lock_timeout statement_timeout idle_in_transaction_session_timeout work_mem"
    with other.read() as session:
        shown = [session.scalar(text(f"SHOW {name}")) for name in names.split()]
        driver: Any = session.connection().connection.driver_connection
        network = driver.info.get_parameters()
    other.dispose()
    assert shown == ["7s", "8s", "9s", "5MB"]
    assert int(network["tcp_user_timeout"]) > 0
    assert int(network["keepalives_idle"]) > 0


def test_a_lock_that_is_not_free_ends_the_wait(
    database: Database, hasty: Database, group_id: int
) -> None:
    with database.write() as holder:
        lock(holder, group_id)
        with pytest.raises(OperationalError) as caught, hasty.write() as session:
            lock(session, group_id)
    assert db.is_locked(caught.value)
    assert db.is_unavailable(caught.value)


def test_a_machine_that_freezes_inside_a_transaction_loses_its_locks(
    database: Database, hasty: Database, group_id: int
) -> None:
    frozen = hasty.writer()
    lock(frozen, group_id)
    with database.write() as session:
        lock(session, group_id)
    with pytest.raises(DBAPIError) as caught:
        lock(frozen, group_id)
    assert db.is_unavailable(caught.value)
    frozen.close()
    with hasty.write() as session:
        lock(session, group_id)


def test_a_statement_that_takes_too_long_is_ended(hasty: Database) -> None:
    with pytest.raises(OperationalError), hasty.read() as session:
        session.execute(text("SELECT pg_sleep(60)"))


def test_pruning_and_migrations_may_take_longer(hasty: Database) -> None:
    with hasty.write(longest=timedelta(minutes=1)) as session:
        session.execute(text("SELECT pg_sleep(2.2)"))
        assert session.scalar(text("SHOW lock_timeout")) == "1s"
    with hasty.writing.begin() as connection:
        extend_timeouts(connection, None)
        connection.execute(text("SELECT pg_sleep(2.2)"))
    with hasty.write() as session:
        assert session.scalar(text("SHOW statement_timeout")) == "2s"
        driver: Any = session.connection().connection.driver_connection
        assert driver.patience is not None


def test_waiting_at_most_leaves_the_transaction_usable(
    database: Database, hasty: Database, group_id: int
) -> None:
    with database.write() as holder, hasty.write() as session:
        lock(holder, group_id)
        with pytest.raises(db.Locked), db.waiting_at_most(session, timedelta(milliseconds=20)):
            lock(session, group_id)
        factories.group(session, "other")
        assert session.scalar(text("SHOW lock_timeout")) == "1s"
    with database.read() as session:
        assert session.scalars(select(Group.slug).order_by(Group.id)).all() == ["ops", "other"]


@contextmanager
def through_proxy(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Database, MuteProxy]]:
    monkeypatch.setattr("incidentrelay.postgresql.PROBE_SECONDS", 0.3)
    monkeypatch.setattr("incidentrelay.postgresql.GRACE_SECONDS", 0.3)
    url = make_url(database.url)
    with (
        MuteProxy(url.host or "127.0.0.1", url.port or 5432) as proxy,
        connected(url.set(host="127.0.0.1", port=proxy.port), HASTY, pool=2) as other,
    ):
        yield other, proxy


def test_a_silent_server_is_given_up_in_the_middle_of_a_transaction(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with through_proxy(database, monkeypatch) as (other, proxy):
        session = other.writer()
        session.execute(text("SELECT 1"))
        proxy.mute()
        started = time.monotonic()
        with pytest.raises(OperationalError, match="fallen silent") as caught:
            session.execute(text("SELECT 2"))
        session.close()
        assert time.monotonic() - started < 5
        assert caught.value.connection_invalidated


def test_silent_connections_of_the_pool_are_replaced(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with through_proxy(database, monkeypatch) as (other, proxy):
        with other.read() as first, other.read() as second:
            assert [each.scalar(text("SELECT 1")) for each in (first, second)] == [1, 1]
        proxy.mute()
        with pytest.raises(OperationalError), other.read() as session:
            session.scalar(text("SELECT 2"))
        proxy.unmute()
        with other.read() as first, other.read() as second:
            assert [each.scalar(text("SELECT 3")) for each in (first, second)] == [3, 3]
