"""Heartbeats: one row per name, and when one counts as missing."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

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
    ],
)
def test_a_heartbeat_is_missing_after_five_minutes(
    now: datetime, age: timedelta | None, silent: bool
) -> None:
    assert heartbeats.is_silent(None if age is None else now - age, now) is silent
