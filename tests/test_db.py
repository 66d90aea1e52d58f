"""Transactions: writers wait for each other, nothing is lost, hints follow commits."""

import threading
from collections.abc import Sequence
from datetime import datetime

import pytest
from sqlalchemy import select, text

from incidentrelay import db
from incidentrelay.db import Database, Hint
from incidentrelay.models import Group, Heartbeat, Silence
from tests.support import factories


@pytest.mark.both_databases
def test_parallel_writers_lose_no_update(database: Database, now: datetime) -> None:
    with database.write() as session:
        group = factories.group(session, "ops", description="0")
    failures: list[Exception] = []

    def add() -> None:
        try:
            for _ in range(10):
                with database.write() as session:
                    query = select(Group).where(Group.id == group.id).with_for_update()
                    row = session.scalars(query).one()
                    row.description = str(int(row.description) + 1)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with database.read() as session:
        assert session.get_one(Group, group.id).description == "60"


def test_sqlite_survives_a_power_failure(tmp_path: object) -> None:
    database = Database(f"sqlite:///{tmp_path}/safe.sqlite")
    with database.write() as session:
        pragmas = {
            name: session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    database.dispose()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


@pytest.mark.both_databases
def test_naive_times_are_rejected_and_aware_ones_load_in_utc(
    database: Database, now: datetime
) -> None:
    with database.write() as session:
        session.add(Heartbeat(name="x", at=now))
    with database.read() as session:
        assert session.get_one(Heartbeat, "x").at == now
        assert session.get_one(Heartbeat, "x").at.tzinfo is not None
    with pytest.raises(Exception, match="no time zone"), database.write() as session:
        session.add(Heartbeat(name="y", at=now.replace(tzinfo=None)))


@pytest.mark.both_databases
def test_rows_have_the_ids_that_were_reserved_for_them(database: Database, now: datetime) -> None:
    stamps = {"created_at": now, "updated_at": now}
    with database.write() as session:
        team = factories.team(session, factories.group(session))
        values = {"team_id": team.id, "matchers": [], "starts_at": now, "ends_at": now, **stamps}
        rows = [{**values, "reason": f"{number // 2}"} for number in range(1500)]
        rows[7]["recurrence"] = {"rule": "FREQ=DAILY"}
        for row in rows[1:]:
            row.setdefault("recurrence", None)
        ids = db.reserve_ids(session, Silence, len(rows))
        assert db.reserve_ids(session, Silence, 0) == []
        numbered = [
            {"id": id, "recurrence": None, **row} for id, row in zip(ids, rows, strict=True)
        ]
        db.insert_all(session, Silence, numbered)
        # The next one gets its id as usual.
        later = factories.silence(session, team)
    assert later.id > max(ids)
    with database.read() as session:
        query = select(Silence.id, Silence.reason).order_by(Silence.id)
        stored = [tuple(row) for row in session.execute(query)]
    assert stored[:-1] == [(row["id"], row["reason"]) for row in numbered]


class Sink:
    def __init__(self, database: Database) -> None:
        self.taken: list[Hint] = []
        database.sink = self.take

    def take(self, hints: Sequence[Hint]) -> None:
        self.taken += hints


def test_hints_are_sent_after_the_commit(database: Database) -> None:
    sink = Sink(database)
    with database.write() as session:
        db.hint(session, Hint("deliver", 1))
        with session.begin_nested():
            db.hint(session, Hint("deliver", 2))
        assert sink.taken == []
    assert sink.taken == [Hint("deliver", 1), Hint("deliver", 2)]


def test_hints_of_a_rolled_back_transaction_are_dropped(database: Database) -> None:
    sink = Sink(database)
    with database.write() as session:
        db.hint(session, Hint("deliver", 1))
        session.rollback()
    assert sink.taken == []


def test_a_savepoint_that_is_rolled_back_keeps_the_hints_of_its_transaction(
    database: Database,
) -> None:
    sink = Sink(database)
    with database.write() as session:
        db.hint(session, Hint("deliver", 1))
        with pytest.raises(ZeroDivisionError), session.begin_nested():
            raise ZeroDivisionError
    assert sink.taken == [Hint("deliver", 1)]


def test_too_many_hints_end_with_a_sweep(database: Database, now: datetime) -> None:
    sink = Sink(database)
    with database.write() as session:
        for number in range(db.MOST_HINTS):
            db.hint(session, Hint("wake", number, now))
        for number in range(db.MOST_HINTS):
            db.hint(session, Hint("deliver", number))
    *first, last = sink.taken
    assert first == [Hint("deliver", number) for number in range(db.MOST_HINTS // 2)]
    assert last == Hint("sweep")


def test_a_queue_that_fails_does_not_undo_the_commit(
    database: Database, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(hints: Sequence[Hint]) -> None:
        raise ConnectionError("no queue")

    database.sink = refuse
    with database.write() as session:
        session.add(Heartbeat(name="x", at=now))
        db.hint(session, Hint("sweep"))
    with database.read() as session:
        assert session.get(Heartbeat, "x") is not None
    assert "the next sweep will do its work" in caplog.text
