"""Heartbeats: one row per name, and when one counts as missing."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from incidentrelay import db
from incidentrelay.db import Database
from incidentrelay.models import Heartbeat
from incidentrelay.services.common import heartbeats


@pytest.mark.both_databases
def test_two_workers_may_write_the_first_heartbeat_at_once(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both find no row; the slower one must not fail on the row of the other."""
    later = now + timedelta(seconds=1)
    insert_missing = db.insert_missing

    def overtaken(session: object, model: object, row: object) -> None:
        monkeypatch.setattr(db, "insert_missing", insert_missing)
        if database.writing is not database.reading:
            # SQLite has one writer: the row of the other was committed just before.
            insert_missing(session, model, {"name": heartbeats.WORKER, "at": now})
        else:
            with database.write() as other:
                heartbeats.record_heartbeat(other, heartbeats.WORKER, now)
        insert_missing(session, model, row)

    monkeypatch.setattr(db, "insert_missing", overtaken)
    with database.write() as session:
        heartbeats.record_heartbeat(session, heartbeats.WORKER, later)
    with database.read() as session:
        assert session.scalars(select(Heartbeat.at)).all() == [later]


@pytest.mark.parametrize(
    ("age", "silent"),
    [
        (None, True),
        (timedelta(0), False),
        (timedelta(minutes=5), False),
        (timedelta(minutes=5, seconds=1), True),
        # The clock was set back since, so this proves nothing.
        (timedelta(minutes=-5), False),
        (timedelta(hours=-2), True),
    ],
)
def test_a_heartbeat_is_missing_after_five_minutes(
    now: datetime, age: timedelta | None, silent: bool
) -> None:
    assert heartbeats.is_silent(None if age is None else now - age, now) is silent


@pytest.mark.both_databases
def test_a_clock_is_compared_with_the_one_of_postgresql(database: Database, now: datetime) -> None:
    with database.write() as session:
        if database.writing is not database.reading:
            assert heartbeats.measure_clock(session, now) is None, "SQLite has no clock"
            return
        there = session.scalars(select(func.clock_timestamp())).one()
        heartbeats.record_clock(session, "right", there)
        heartbeats.record_clock(session, "ahead", there + timedelta(minutes=5))
        heartbeats.record_clock(session, "behind", there - timedelta(seconds=20))
    with database.read() as session:
        clocks = heartbeats.list_wrong_clocks(session, there)
        assert [(clock.machine, round(clock.seconds / 10)) for clock in clocks] == [
            ("ahead", 30),
            ("behind", -2),
        ]
        long_after = there + timedelta(hours=1)
        assert heartbeats.list_wrong_clocks(session, long_after) == []


@pytest.mark.both_databases
def test_a_machine_that_is_gone_is_forgotten(database: Database, now: datetime) -> None:
    with database.write() as session:
        heartbeats.record_heartbeat(session, "clock:gone", now - timedelta(days=2))
        heartbeats.record_heartbeat(session, "clock:here", now)
        heartbeats.record_heartbeat(session, heartbeats.WORKER, now - timedelta(days=2))
        heartbeats.prune_clocks(session, now)
    with database.read() as session:
        names = session.scalars(select(Heartbeat.name).order_by(Heartbeat.name)).all()
    assert names == ["clock:here", heartbeats.WORKER]
