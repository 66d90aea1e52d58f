"""Plain rows: the same in both databases as what the unit of work would write."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from incidentrelay import db
from incidentrelay.db import Database
from incidentrelay.domain.enums import EventKind
from incidentrelay.models import Event, Heartbeat, IntakeRequest, Signal
from tests.support import factories

pytestmark = pytest.mark.both_databases
ODD = {"a": 'é"\\\u2028 \U0001f600', "none": None, "list": [1, 2.5, True], "big": 2**80, "": {}}


def request(now: datetime, **values: Any) -> dict[str, Any]:
    default = {"route_id": None, "received_at": now, "body": b"\x00\xff{}", "outcomes": [ODD]}
    return {**default, **values}


def test_values_of_all_kinds_come_back(database: Database, now: datetime) -> None:
    with database.write() as session:
        db.insert_all(session, IntakeRequest, [request(now), request(now, body=b"", outcomes=[])])
    with database.read() as session:
        first, second = session.scalars(select(IntakeRequest).order_by(IntakeRequest.id))
    assert (first.route_id, first.received_at, first.body) == (None, now, b"\x00\xff{}")
    assert first.outcomes == [ODD]
    assert (second.body, second.outcomes) == (b"", [])
    # Columns that were not named.
    assert (first.address, first.truncated, first.left_out) == ("", False, 0)


def test_rows_that_share_values_are_not_confused(database: Database, now: datetime) -> None:
    with database.write() as session:
        alert = factories.alert(session, factories.team(session, factories.group(session)))
        rows = [
            {
                "alert_id": alert.id,
                "at": now,
                "kind": EventKind.CREATED if number % 2 else EventKind.PAGED,
                "actor_id": None,
                "via": "source",
                "text": f"{number}",
                "data": {"number": number},
            }
            for number in range(1000)
        ]
        db.insert_all(session, Event, rows)
    with database.read() as session:
        stored = session.scalars(select(Event).order_by(Event.id)).all()
    assert [(row.text, row.data["number"], row.kind) for row in stored] == [
        (row["text"], row["data"]["number"], row["kind"]) for row in rows
    ]


def test_updates_change_only_their_rows_and_columns(database: Database, now: datetime) -> None:
    with database.write() as session:
        alert = factories.alert(session, factories.team(session, factories.group(session)))
        signals = [factories.signal(session, alert, dedup_key=f"s{n}") for n in range(3)]
        ids = [signal.id for signal in signals]
        changes = [
            {"count": 7, "labels": {"n": f"{id}"}, "id": id, "refire": None} for id in ids[:2]
        ]
        db.update_by_id(session, Signal, changes)
        db.update_by_id(session, Signal, [])
    with database.read() as session:
        stored = session.scalars(select(Signal).order_by(Signal.id)).all()
    assert [row.count for row in stored] == [7, 7, 1]
    assert [row.labels for row in stored[:2]] == [{"n": f"{id}"} for id in ids[:2]]
    assert {row.dedup_key for row in stored} == {"s0", "s1", "s2"}


def test_what_the_session_holds_is_written_first(database: Database, now: datetime) -> None:
    with database.write() as session:
        team = factories.team(session, factories.group(session))
        alert = factories.alert(session, team)
        alert.title = "New"
        db.insert_all(session, IntakeRequest, [request(now)])
        assert session.connection().exec_driver_sql("SELECT title FROM alerts").scalar() == "New"


def test_naive_times_are_rejected(database: Database, now: datetime) -> None:
    naive = {"name": "x", "at": now.replace(tzinfo=None), "clock_offset": None}
    with pytest.raises(Exception, match="no time zone"), database.write() as session:
        db.insert_all(session, Heartbeat, [naive])
