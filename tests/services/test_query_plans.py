"""No statement of a delivery, a sweep, intake or a list reads a whole growing table.

SQLite plans from the text of a statement, not from bound values or table sizes: it uses a
partial index only if its condition is repeated literally.
"""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from incidentrelay.db import Database
from incidentrelay.domain.delivery import circuit_breaker
from incidentrelay.domain.enums import AlertStatus, DeliveryState
from incidentrelay.domain.permissions import Permission
from incidentrelay.integrations import default_registry
from incidentrelay.models import Alert, Notification, RecipientRate, Route, Team, User
from incidentrelay.services.access import memberships, visibility
from incidentrelay.services.alerts import list_queries
from incidentrelay.services.alerts import search as alert_search
from incidentrelay.services.alerts.list_queries import AlertFilter
from incidentrelay.services.alerts.scan import AlertOrder, scan_alerts
from incidentrelay.services.channels import providers
from incidentrelay.services.delivery import failed, recovery, shift_reminders, stalled
from incidentrelay.services.delivery import results as delivery_results
from incidentrelay.services.escalation import runner as escalation_runner
from incidentrelay.services.intake import auto_resolve, refires, route_queries
from incidentrelay.services.intake import receive as intake_receive
from incidentrelay.services.intake.receive import ReceivedRequest
from incidentrelay.services.operations import banners, health
from incidentrelay.services.outbox import internal
from incidentrelay.services.outbox import queue as outbox_queue
from incidentrelay.services.outbox import records as outbox_records
from incidentrelay.services.outbox.records import DeliveryResult
from incidentrelay.services.silences import transitions as silence_transitions
from incidentrelay.services.simulation import recent_payloads
from tests.support import factories
from tests.support import pager as pagers
from tests.support.pager import MINUTE, NOW, Pager, a_signal
from tests.support.statements import statements

pytestmark = pytest.mark.both_databases

GROWING = (
    *("alerts", "alert_labels", "signals", "events", "notifications", "attempts", "silences"),
    "intake_requests",
)
SENT, SHOWN = DeliveryResult(DeliveryState.SENT), DeliveryResult(DeliveryState.DELIVERED)
FAILED = DeliveryResult(DeliveryState.FAILED, "No.")
DOWN = DeliveryResult(DeliveryState.RETRY, "It is down.", down=True)


@pytest.fixture
def pager(database: Database) -> Pager:
    pager = pagers.build(database)
    with database.write() as session:
        session.execute(update(Route).values(auto_resolve_after=60))
    return pager


def whole_tables(database: Database, statement: str, parameters: Any) -> list[str]:
    """The lines of the statement's plan that scan a whole growing table."""
    with database.reading.connect() as connection:
        if connection.dialect.name == "sqlite":
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            lines = [row[3] for row in plan]
            marks = {f"SCAN {table}" for table in GROWING}
            return [line for line in lines if line in marks]
        # The tables are small here: this asks for a plan that avoids full scans.
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        marks = {f"Seq Scan on {table}" for table in GROWING}
        return [row[0] for row in plan if any(mark in row[0] for mark in marks)]


def write(pager: Pager, service: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    with pager.database.write() as session:
        return service(session, *args, **kwargs)


def due(pager: Pager, method: str) -> list[int]:
    with pager.database.read() as session:
        query = select(Notification.id).where(Notification.id.in_(pager.due()))
        query = query.where(Notification.method == method)
        return list(session.scalars(query.order_by(Notification.id)))


def break_lane(session: Session) -> None:
    provider = providers.lock_providers(session, "email")
    provider.failures, provider.since = circuit_breaker.THRESHOLD, NOW - 60 * MINUTE
    provider.open_until = NOW + 60 * MINUTE


def take_in(pager: Pager) -> None:
    pager.take(a_signal("new"))
    pager.take(a_signal("new"))
    pager.take(a_signal("new", resolved=True), at=NOW + MINUTE)


def take_in_together(pager: Pager) -> None:
    """Requests to several routes in one transaction."""
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        ids = [pager.route_id, *(factories.route(session, team).id for _ in range(7))]
    for resolved in (False, False, True):
        with pager.database.write() as session:
            facts = intake_receive.lock_free_routes(session, ids, NOW)
            signals = [a_signal(f"{number}", resolved=resolved) for number in range(20)]
            requests = [ReceivedRequest(facts[id], signals, pagers.RAW) for id in ids]
            assert len(intake_receive.receive_requests(session, requests, NOW)) == 8


def deliver(pager: Pager) -> None:
    """Claims of one message and of a bundle, with every kind of result."""
    pager.take(*[a_signal(str(number)) for number in range(30)])
    mails, posts = due(pager, "email"), due(pager, "inbox")
    bundle = pager.claim(mails[0])
    assert bundle is not None
    assert len(bundle.messages) == 30
    pager.record(bundle, SENT)
    for notification_id, result in zip(posts, (SENT, FAILED, DOWN), strict=False):
        taken = pager.claim(notification_id)
        assert taken is not None
        pager.record(taken, result)
    pager.take(a_signal("late"))
    shown = pager.claim(due(pager, "inbox")[-1])
    assert shown is not None
    write(pager, internal.deliver_waiting, shown, SHOWN, NOW)
    late = due(pager, "email")[0]
    with pager.database.write() as session:
        session.execute(update(RecipientRate).values(busy_until=NOW + 60 * MINUTE))
    assert pager.claim(late) is None
    assert late not in pager.due()  # it was put off
    write(pager, delivery_results.defer_delivery, posts[4], "No.", NOW, most_attempts=3)


def give_up(pager: Pager) -> None:
    pager.take(a_signal("one"), a_signal("two"))
    write(pager, break_lane)
    write(pager, outbox_records.wake_provider, "email", NOW)
    assert write(pager, stalled.mark_stalled, NOW, limit=10)
    write(pager, outbox_queue.cancel_pending, [1, 2], NOW)


def hold_refires(pager: Pager) -> None:
    times = {"starts_at": NOW, "ends_at": NOW + MINUTE}
    for resolved in (False, True, False):
        pager.take(a_signal("one", resolved=resolved, **times))


def sweep(pager: Pager) -> None:
    pager.take(a_signal("one"), a_signal("two"))
    later, long_ago = NOW + timedelta(hours=1), NOW - timedelta(days=9)
    hold_refires(pager)
    write(pager, refires.due_route_ids, later, limit=10)
    assert write(pager, refires.apply_refires, pager.route_id, later) == 1
    write(pager, silence_transitions.due_team_ids, NOW, limit=10)
    pager.change_silences(NOW)
    assert pager.run_due(later)
    write(pager, escalation_runner.reconsider, pager.team_id, now=NOW)
    write(pager, escalation_runner.wake_alert, 1, later)
    write(pager, escalation_runner.due_alert_ids, later, limit=10)
    write(pager, auto_resolve.due_route_ids, long_ago, NOW + timedelta(days=1))
    write(pager, auto_resolve.resolve_stale, pager.route_id, long_ago, NOW + timedelta(days=1))
    for at in (NOW, NOW + MINUTE):
        write(pager, shift_reminders.send_due_reminders, at)
    write(pager, health.check_health, later)
    write(pager, recovery.wake_abandoned, later)


def list_alerts(pager: Pager) -> None:
    """The lists of an ordinary user and of an admin, with each kind of search."""
    pager.take(*[a_signal(str(number)) for number in range(30)])
    with pager.database.read() as session:
        ann = session.get_one(User, pager.people["ann"])
        own = memberships.load_roles(session, ann)
        everything = SimpleNamespace(is_admin=True, groups={}, teams={}, bound_group_id=None)
        for reader in (own, everything):
            for query in ("", "text", "host=a", "host=a,zone=b", "host=~a"):
                for status in (None, *AlertStatus):
                    list_queries.list_alerts(session, reader, AlertFilter(status, query))
            list_queries.count_open_alerts(session, reader)
            banners.count_exhausted_alerts(session, reader)
            failed.count_open_failures(session, reader)
            for all_of_them in (True, False):
                failed.list_failed(session, reader, all_of_them=all_of_them)
            teams = visibility.team_ids(reader, Permission.VIEW)
            for column in (Alert.id, Alert.last_seen_at):
                for falling in (True, False):
                    search = alert_search.build_search(session, teams, {})
                    order = AlertOrder(column, falling)
                    page = scan_alerts(session, search, limit=5, order=order)
                    scan_alerts(session, search, limit=5, order=order, after=page.resume)


def look_at_routes(pager: Pager) -> None:
    pager.take(a_signal("one"))
    sources = default_registry()
    with pager.database.read() as session:
        team = session.get_one(Team, pager.team_id)
        write(pager, route_queries.load_health, [pager.route_id], NOW)
        write(pager, route_queries.list_requests, pager.route_id, 7)
        write(pager, recent_payloads.match_recent, team, "webhook", [], integrations=sources)


@pytest.mark.parametrize(
    "work", [take_in, take_in_together, deliver, give_up, sweep, list_alerts, look_at_routes]
)
def test_growing_tables_are_read_by_their_indexes(
    pager: Pager, work: Callable[[Pager], None]
) -> None:
    with statements(pager.database) as sent:
        work(pager)
    assert len(sent) > 7
    found = {
        statement: lines
        for statement, parameters in dict(sent).items()
        if (lines := whole_tables(pager.database, statement, parameters))
    }
    assert found == {}
