"""Refires that were held, on real databases: applied once, in few statements, and by whom."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from incidentrelay.db import Database
from incidentrelay.domain.enums import AlertStatus
from incidentrelay.models import Event, Route, Signal
from incidentrelay.services.intake import refires
from tests.support.pager import MINUTE, NOW, Pager, a_signal, build
from tests.support.statements import statements

pytestmark = pytest.mark.both_databases

SECOND = timedelta(seconds=1)
# By the source's clock.
START = NOW - timedelta(hours=3)
END = START + 2 * MINUTE


@pytest.fixture
def pager(database: Database) -> Pager:
    return build(database)


def hold(pager: Pager, *keys: str, **values: Any) -> None:
    """Each signal fires, is resolved at ``NOW``, and fires again 20 seconds later."""
    keys = keys or ("disk",)
    again = [a_signal(key, starts_at=START, **values) for key in keys]
    pager.take(*again, at=NOW - 2 * MINUTE)
    pager.take(*[a_signal(key, resolved=True, ends_at=END, **values) for key in keys])
    verdicts = pager.take(*again, at=NOW + 20 * SECOND)
    assert {str(verdict.outcome) for verdict in verdicts} == {"ignored"}


def apply(pager: Pager, at: datetime = NOW + MINUTE) -> int:
    with pager.database.read() as session:
        due = refires.due_route_ids(session, at, limit=10)
    with pager.database.write() as session:
        return sum(refires.apply_refires(session, route_id, at) for route_id in due)


def held(pager: Pager) -> list[str]:
    with pager.database.read() as session:
        query = select(Signal.dedup_key).where(Signal.refire_at.is_not(None))
        return list(session.scalars(query.order_by(Signal.dedup_key)))


def status(pager: Pager) -> AlertStatus:
    with pager.database.read() as session:
        return pager.alert(session).status


def test_a_refire_is_held_and_pages_when_the_window_ends(pager: Pager) -> None:
    hold(pager)
    assert apply(pager, NOW + 59 * SECOND) == 0
    assert (held(pager), status(pager)) == (["disk"], "resolved")
    assert apply(pager) == 1
    assert (held(pager), status(pager)) == ([], "firing")
    assert pager.timeline()[-3:] == ["refire_held", "reopened", "paged"]
    assert ("page", "ann", "pending") in pager.outbox()
    assert apply(pager, NOW + 2 * MINUTE) == 0


def test_the_timeline_says_why_the_route_accepted_it(pager: Pager) -> None:
    hold(pager)
    apply(pager)
    with pager.database.read() as session:
        events = session.scalars(select(Event).order_by(Event.id.desc()).limit(3)).all()
        data = {str(event.kind): event.data for event in events}
    assert data["refire_held"]["credential"] == "route"
    assert data["reopened"] == {"dedup_key": "disk"}


def test_a_resolve_drops_it(pager: Pager) -> None:
    hold(pager)
    (verdict,) = pager.take(a_signal(resolved=True, ends_at=END), at=NOW + 40 * SECOND)
    assert verdict.reason == "Already resolved; what was held is dropped."
    assert held(pager) == []
    assert apply(pager) == 0
    assert status(pager) == "resolved"


def test_content_that_is_held_is_stored(pager: Pager) -> None:
    hold(pager, annotations={"summary": "é \u2028"}, link="http://prom/graph?x=1")
    apply(pager)
    with pager.database.read() as session:
        alert = pager.alert(session)
        assert alert.annotations == {"summary": "é \u2028"}
        assert alert.source_link == "http://prom/graph?x=1"
        signal = session.scalars(select(Signal)).one()
        assert (signal.starts_at, signal.start_from_source) == (START, True)


def test_workers_in_parallel_page_once(pager: Pager) -> None:
    hold(pager)

    def work(_: int) -> int:
        with pager.database.write() as session:
            return refires.apply_refires(session, pager.route_id, NOW + MINUTE)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(work, range(4))) == [0, 0, 0, 1]
    assert pager.timeline().count("reopened") == 1


def test_a_copy_on_an_old_alert_is_not_applied_twice(pager: Pager) -> None:
    """The signal returned as a new alert: the row that stays with the old one holds nothing."""
    with pager.database.write() as session:
        session.get_one(Route, pager.route_id).reopen_window = 0
    hold(pager)
    (verdict,) = pager.take(a_signal(starts_at=END + SECOND), at=NOW + 30 * SECOND)
    assert verdict.outcome == "created"
    assert held(pager) == []
    assert apply(pager) == 0


@pytest.mark.parametrize(
    "columns", [{"enabled": False}, {"matchers": ["alertname=other"]}], ids=["disabled", "matchers"]
)
def test_what_the_route_no_longer_accepts_is_dropped(pager: Pager, columns: Any) -> None:
    hold(pager)
    with pager.database.write() as session:
        for name, value in columns.items():
            setattr(session.get_one(Route, pager.route_id), name, value)
    assert apply(pager) == 1
    assert (held(pager), status(pager)) == ([], "resolved")
    assert apply(pager) == 0


def test_a_route_that_is_gone_has_nothing_to_apply(pager: Pager) -> None:
    hold(pager)
    with pager.database.write() as session:
        session.delete(session.get_one(Route, pager.route_id))
    assert apply(pager) == 0


def test_a_clock_that_was_ahead_holds_nothing_back(pager: Pager) -> None:
    hold(pager)
    assert apply(pager, NOW - timedelta(hours=1)) == 1
    assert status(pager) == "firing"


def test_the_number_of_statements_does_not_grow_with_what_is_held(pager: Pager) -> None:
    hold(pager, "a")
    with statements(pager.database) as few:
        assert apply(pager) == 1
    hold(pager, *[f"b{number}" for number in range(50)])
    with statements(pager.database) as many:
        assert apply(pager) == 50
    assert len(many) <= len(few)
