"""/metrics: its values, access, cost, and alerting rules."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event, update

from incidentrelay.db import Database
from incidentrelay.domain.enums import DeliveryState
from incidentrelay.models import Attempt, Notification, Provider
from incidentrelay.services.common import heartbeats
from incidentrelay.services.operations import metrics
from tests.support import factories
from tests.support import pager as pagers
from tests.support.pager import NOW, Pager, a_signal

RULES = Path(__file__).resolve().parents[2] / "deploy/prometheus/incidentrelay.rules.yml"
LATER = NOW + timedelta(minutes=3)
WHOLE = re.compile(r"SCAN (notifications|attempts|events|intake_requests)")
HERE = {"REMOTE_ADDR": "127.0.0.1"}
TOKEN = "a-token-of-sixteen-and-more"


@pytest.fixture
def pager(database: Database) -> Pager:
    return pagers.build(database)


def measured(pager: Pager, at: Any = LATER) -> dict[str, metrics.Samples]:
    with pager.database.read() as session:
        return {metric.name: found for metric, found in metrics.measure_all(session, at).items()}


@pytest.mark.both_databases
def test_an_empty_installation_has_all_numbers(pager: Pager) -> None:
    found = measured(pager)
    assert list(found) != []
    assert set(found) == {metric.name for metric in metrics.METRICS}
    assert found["notifications"] == {("pending",): 0, ("retry",): 0, ("sending",): 0}
    assert found["worker_heartbeat_age_seconds"] == {(): float("inf")}
    assert found["alerts"] == {}


@pytest.mark.both_databases
def test_open_late_and_failed_work_is_counted(pager: Pager) -> None:
    pager.take(a_signal("a"), a_signal("b"))
    pager.take(a_signal("c"))
    pager.take(a_signal("c", resolved=True), at=NOW + timedelta(seconds=1))
    with pager.database.write() as session:
        heartbeats.record_heartbeat(session, heartbeats.WORKER, NOW + timedelta(minutes=1))
        session.add(Provider(name="email", failures=7, since=NOW, reason="down"))
        first = pager.alert(session, 1)
        session.execute(
            update(Notification)
            .where(Notification.alert_id == first.id, Notification.method == "email")
            .values(state=DeliveryState.FAILED, next_at=None, finished_at=NOW)
        )
    found = measured(pager)
    assert found["alerts"] == {("firing", "critical"): 2}
    assert found["notifications_failed"] == {("email", "page"): 1}
    assert found["notifications_failed_open"] == {(): 1}
    waiting = found["notifications"]["pending",]
    assert waiting > 0
    assert found["notifications_overdue"]["pending",] == waiting
    assert found["notifications_oldest_overdue_seconds"]["pending",] == 180
    assert found["escalations_overdue"] == {(): 2}
    assert found["escalations_oldest_overdue_seconds"] == {(): 120}
    assert found["worker_heartbeat_age_seconds"] == {(): 120}
    assert found["provider_circuits_open"] == {(): 1}
    assert found["intake_requests_last_hour"] == {("webhook",): 3}
    assert measured(pager, LATER + timedelta(hours=2))["intake_requests_last_hour"] == {}


@pytest.mark.both_databases
def test_how_fast_pages_arrive_is_counted(pager: Pager) -> None:
    pager.take(a_signal())
    with pager.database.write() as session:
        alert = pager.alert(session)
        for seconds in (2, 20, 1000):
            row = factories.notification(
                session,
                alert,
                method="webhook",
                state=DeliveryState.SENT,
                next_at=None,
                finished_at=NOW + timedelta(seconds=seconds),
            )
            session.add(
                Attempt(
                    notification_id=row.id,
                    number=1,
                    started_at=NOW,
                    duration_ms=500,
                    outcome="sent",
                )
            )
    found = measured(pager, NOW + timedelta(minutes=30))
    arrived = found["deliveries_last_hour"]
    assert [arrived["webhook", str(seconds)] for seconds in metrics.WITHIN] == [1, 1, 2, 2, 2]
    assert arrived["webhook", "+Inf"] == 3
    assert found["attempts_last_hour"] == {("webhook", "sent"): 3}
    assert found["attempt_seconds_last_hour"] == {("webhook",): 0.5}


@pytest.mark.both_databases
def test_a_scrape_costs_the_same_with_more_data(pager: Pager, query_count: Any) -> None:
    with query_count() as few:
        measured(pager)
    pager.take(*(a_signal(f"disk-{number}") for number in range(30)))
    with query_count() as many:
        measured(pager)
    assert len(many) == len(few) <= 12, many


def test_no_query_reads_the_whole_outbox(pager: Pager) -> None:
    """Each uses an index of only the rows it counts, or only the last hour."""
    sent: list[tuple[str, Any]] = []

    def note(_c: Any, _cur: Any, statement: str, values: Any, _ctx: Any, _many: bool) -> None:
        sent.append((statement, values))

    engine = pager.database.reading
    event.listen(engine, "before_cursor_execute", note)
    measured(pager)
    event.remove(engine, "before_cursor_execute", note)
    with engine.connect() as connection:
        for statement, values in [each for each in sent if each[0].startswith("SELECT")]:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            steps = [row[3] for row in plan]
            assert not [step for step in steps if WHOLE.fullmatch(step)], (statement, steps)


def test_prometheus_can_read_it(testapp: Any) -> None:
    answer = testapp.get("/metrics", extra_environ=HERE)
    assert answer.content_type == "text/plain"
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert set(families) == {"incidentrelay_info"} | {m.full_name for m in metrics.METRICS}
    assert families["incidentrelay_worker_heartbeat_age_seconds"].samples[0].value == float("inf")


@pytest.mark.parametrize(
    ("environ", "headers", "status"),
    [
        ({"REMOTE_ADDR": "127.0.0.1"}, {}, 200),
        ({"REMOTE_ADDR": "::1"}, {}, 200),
        ({"REMOTE_ADDR": "192.0.2.7"}, {}, 403),
        ({"REMOTE_ADDR": "127.0.0.1"}, {"X-Forwarded-For": "127.0.0.1"}, 403),
        ({"REMOTE_ADDR": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}, 403),
        ({"REMOTE_ADDR": ""}, {}, 403),
    ],
)
def test_without_a_token_only_this_machine_reads_it(
    testapp: Any, environ: dict[str, str], headers: dict[str, str], status: int
) -> None:
    testapp.get("/metrics", extra_environ=environ, headers=headers, status=status)


def test_with_a_token_only_the_token_counts(app: Any, testapp: Any) -> None:
    before = app.registry["settings"]
    app.registry["settings"] = replace(before, metrics_token=TOKEN)
    try:
        far = {"REMOTE_ADDR": "192.0.2.7"}
        good = {"Authorization": f"Bearer {TOKEN}"}
        testapp.get("/metrics", headers=good, extra_environ=far, status=200)
        for wrong in ({}, {"Authorization": "Bearer no"}, {"Authorization": f"Basic {TOKEN}"}):
            answer = testapp.get("/metrics", headers=wrong, status=401)
            assert "WWW-Authenticate" in answer.headers
            assert TOKEN not in answer.text
    finally:
        app.registry["settings"] = before


def test_metrics_without_a_database_answer_503(app: Any, testapp: Any, tmp_path: Path) -> None:
    nothing = Database(f"sqlite:///{tmp_path}/nothing.sqlite")
    app.registry["database"] = nothing
    testapp.get("/metrics", extra_environ=HERE, status=503)
    nothing.dispose()


def test_alert_rules_use_existing_metrics() -> None:
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]
    known = {"incidentrelay_info"} | {metric.full_name for metric in metrics.METRICS}
    named = {name for rule in rules for name in re.findall(r"incidentrelay_\w+", rule["expr"])}
    assert len(named) == len(rules)
    assert named - known == set()
    for rule in rules:
        assert set(rule) >= {"alert", "expr", "labels", "annotations"}
        assert rule["labels"]["severity"] in {"critical", "high"}
