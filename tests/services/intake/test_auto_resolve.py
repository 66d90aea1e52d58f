"""Alerts of sources that have fallen silent: which are resolved, and which never."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from incidentrelay.db import Database
from incidentrelay.domain.enums import AlertStatus
from incidentrelay.models import Event, Notification, Route
from incidentrelay.services.alerts import actions as alert_actions
from incidentrelay.services.common import heartbeats
from incidentrelay.services.intake import auto_resolve
from incidentrelay.services.intake import receive as intake_receive
from incidentrelay.services.outbox import records as outbox_records
from tests.services.conftest import ADMIN
from tests.support.pager import MINUTE, NOW, RAW, Accepts, Pager, a_signal, build, no_links

pytestmark = pytest.mark.both_databases

LONG_AGO = NOW - timedelta(days=9)
HALF_HOUR = timedelta(minutes=30)


@pytest.fixture
def pager(database: Database) -> Pager:
    pager = build(database)
    change(pager, auto_resolve_after=1800, updated_at=LONG_AGO)
    return pager


def change(pager: Pager, **columns: object) -> None:
    with pager.database.write() as session:
        route = session.get_one(Route, pager.route_id)
        for name, value in columns.items():
            setattr(route, name, value)


def sweep(pager: Pager, now: datetime, since: datetime = LONG_AGO) -> int:
    with pager.database.read() as session:
        due = auto_resolve.due_route_ids(session, since, now)
    with pager.database.write() as session:
        return sum(auto_resolve.resolve_stale(session, route_id, since, now) for route_id in due)


def status(pager: Pager) -> AlertStatus:
    with pager.database.read() as session:
        return pager.alert(session).status


def test_what_is_silent_for_so_long_is_resolved_and_says_so(pager: Pager) -> None:
    pager.take(a_signal())
    assert sweep(pager, NOW + HALF_HOUR - timedelta(seconds=1)) == 0
    assert sweep(pager, NOW + HALF_HOUR) == 1
    assert status(pager) is AlertStatus.RESOLVED
    with pager.database.read() as session:
        last = session.scalars(select(Event).order_by(Event.id.desc()).limit(1)).one()
        assert last.text == "Resolved: its source has been silent for 30 minutes."
        assert (last.kind, last.via, last.actor_id) == ("resolved", "system", None)
        assert pager.alert(session).wake_at is None
    assert {state for _, _, state in pager.outbox()} == {"cancelled"}
    assert sweep(pager, NOW + 2 * HALF_HOUR) == 0


def test_those_who_were_paged_are_told(pager: Pager) -> None:
    pager.take(a_signal())
    deliver_all(pager)
    sweep(pager, NOW + HALF_HOUR)
    with pager.database.read() as session:
        waiting = select(Notification).where(Notification.state == "pending")
        assert [(row.kind, row.method) for row in session.scalars(waiting)] == [("update", "email")]


def deliver_all(pager: Pager) -> None:
    for notification_id in pager.due():
        taken = pager.claim(notification_id)
        assert taken is not None
        pager.record(taken, outbox_records.send_claim(taken, Accepts(), no_links, NOW))


def test_a_repeat_keeps_it_open(pager: Pager) -> None:
    pager.take(a_signal())
    pager.take(a_signal(), at=NOW + 20 * MINUTE)
    assert sweep(pager, NOW + 49 * MINUTE) == 0
    assert sweep(pager, NOW + 50 * MINUTE) == 1


def test_one_signal_that_is_heard_keeps_its_alert_open(pager: Pager) -> None:
    change(pager, group_by=["cluster"])
    both = [a_signal(key, labels={"cluster": "x"}) for key in ("disk", "load")]
    pager.take(*both)
    pager.take(both[1], at=NOW + 20 * MINUTE)
    assert sweep(pager, NOW + HALF_HOUR) == 0


def test_a_resolve_of_one_signal_does_not_speak_for_the_others(pager: Pager) -> None:
    change(pager, group_by=["cluster"])
    pager.take(*[a_signal(key, labels={"cluster": "x"}) for key in ("disk", "load")])
    pager.take(a_signal("load", resolved=True, labels={"cluster": "x"}), at=NOW + 20 * MINUTE)
    assert sweep(pager, NOW + HALF_HOUR) == 1


@pytest.mark.parametrize("way", ["acknowledged", "snoozed"])
def test_what_somebody_has_taken_is_resolved_too(pager: Pager, way: str) -> None:
    pager.take(a_signal())
    with pager.database.write() as session:
        alert = pager.alert(session)
        if way == "acknowledged":
            alert_actions.acknowledge(session, alert, actor=ADMIN, now=NOW)
        else:
            alert_actions.snooze(session, alert, NOW + timedelta(days=1), actor=ADMIN, now=NOW)
    assert sweep(pager, NOW + HALF_HOUR) == 1


@pytest.mark.parametrize(
    "columns",
    [
        {"auto_resolve_after": None},
        {"enabled": False},
        {"updated_at": NOW + MINUTE},
    ],
)
def test_a_route_that_does_not_want_or_does_not_hear_resolves_nothing(
    pager: Pager, columns: dict[str, object]
) -> None:
    pager.take(a_signal())
    change(pager, **columns)
    assert sweep(pager, NOW + HALF_HOUR) == 0
    assert status(pager) is AlertStatus.FIRING


def test_time_in_which_nobody_listened_does_not_count(pager: Pager) -> None:
    pager.take(a_signal())
    assert sweep(pager, NOW + 60 * MINUTE, since=NOW + 31 * MINUTE) == 0
    assert sweep(pager, NOW + 61 * MINUTE, since=NOW + 31 * MINUTE) == 1


def test_listening_begins_again_after_a_gap(database: Database) -> None:
    def ask(now: datetime) -> datetime:
        with database.write() as session:
            since = auto_resolve.listening_since(session, now)
            heartbeats.record_heartbeat(session, heartbeats.WORKER, now)
            return since

    assert ask(NOW) == NOW
    assert ask(NOW + MINUTE) == NOW
    assert ask(NOW + 6 * MINUTE) == NOW
    assert ask(NOW + 12 * MINUTE) == NOW + 12 * MINUTE


def test_it_comes_back_when_its_source_speaks_again(pager: Pager) -> None:
    pager.take(a_signal())
    sweep(pager, NOW + HALF_HOUR)
    (verdict,) = pager.take(a_signal(), at=NOW + HALF_HOUR + MINUTE)
    assert verdict.outcome == "reopened"


def test_a_signal_of_the_same_moment_is_not_lost(pager: Pager) -> None:
    """The sweep waits for the request that is being taken in, and then sees its signal."""
    pager.take(a_signal())
    late = NOW + HALF_HOUR
    with ThreadPoolExecutor(1) as pool:
        with pager.database.write() as session:
            route = intake_receive.lock_route(session, pager.route_id, NOW)
            intake_receive.receive_request(session, route, [a_signal()], RAW, late)
            sweeping = pool.submit(sweep, pager, late)
            with pytest.raises(TimeoutError):
                sweeping.result(timeout=0.3)
        assert sweeping.result(timeout=10) == 0
    assert status(pager) is AlertStatus.FIRING
