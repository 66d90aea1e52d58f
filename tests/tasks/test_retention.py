"""Retention: old rows go with everything below them, open and younger ones stay."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from incidentrelay import models
from incidentrelay.db import Database
from incidentrelay.domain.enums import AlertStatus, DeliveryState
from incidentrelay.services.operations import retention as kinds
from incidentrelay.settings.declaration import Settings
from incidentrelay.tasks import maintenance
from tests.support import factories
from tests.support.factories import NOW

DAY = timedelta(days=1)
OLD, YOUNG = NOW - 11 * DAY, NOW - 9 * DAY
SENT, PENDING = DeliveryState.SENT, DeliveryState.PENDING
RESOLVED = AlertStatus.RESOLVED
EVERYTHING = {
    "retention_alerts": 10,
    "retention_attempts": 10,
    "retention_intake": 10,
    "retention_audit": 10,
}


def clock() -> datetime:
    return NOW


@pytest.fixture
def days(settings: Settings) -> Callable[..., Settings]:
    """Settings that keep everything not named forever."""

    def chosen(**values: int) -> Settings:
        return replace(settings, **{**dict.fromkeys(EVERYTHING, 0), **values})

    return chosen


@pytest.fixture
def team(database: Database) -> models.Team:
    with database.write() as session:
        return factories.team(session, factories.group(session, "sre"), "core")


def add_alert(
    database: Database, team: models.Team, at: datetime, state: DeliveryState = SENT, **values: Any
) -> int:
    """An alert with one of everything, all of it as old as the alert."""
    resolved = values.get("status", RESOLVED) is RESOLVED
    with database.write() as session:
        fields = {"status": RESOLVED, "resolved_at": at if resolved else None, **values}
        alert = factories.alert(session, team, now=at, **fields)
        factories.signal(session, alert, now=at)
        factories.event(session, alert, at=at)
        row = factories.notification(
            session, alert, state=state, created_at=at, finished_at=at if state is SENT else None
        )
        session.add(attempt(row, at))
        return alert.id


def attempt(row: models.Notification, at: datetime) -> models.Attempt:
    return models.Attempt(
        notification_id=row.id, number=1, started_at=at, duration_ms=1, outcome="sent"
    )


def count(database: Database, *which: type[Any]) -> list[int]:
    with database.read() as session:
        return [session.scalar(select(func.count()).select_from(model)) or 0 for model in which]


ABOUT_ALERTS = (
    models.Alert,
    models.Signal,
    models.Event,
    models.Notification,
    models.Attempt,
)


@pytest.mark.both_databases
def test_an_old_alert_goes_with_all_that_is_about_it(
    database: Database, team: models.Team, days: Any
) -> None:
    add_alert(database, team, OLD)
    young = add_alert(database, team, YOUNG)
    firing = add_alert(database, team, OLD, status=AlertStatus.FIRING)
    taken = add_alert(database, team, OLD, status=AlertStatus.ACKNOWLEDGED)
    owing = add_alert(database, team, OLD, state=PENDING)
    assert maintenance.prune(days(retention_alerts=10), database, clock) == {"alerts": 1}
    assert count(database, *ABOUT_ALERTS) == [4] * 5
    with database.read() as session:
        left = set(session.scalars(select(models.Alert.id)))
    assert left == {young, firing, taken, owing}


@pytest.mark.both_databases
def test_tries_go_before_their_alert_but_not_those_of_an_open_one(
    database: Database, team: models.Team, days: Any
) -> None:
    add_alert(database, team, OLD)
    add_alert(database, team, YOUNG)
    add_alert(database, team, OLD, status=AlertStatus.FIRING)
    add_alert(database, team, OLD, state=PENDING)
    found = maintenance.prune(days(retention_attempts=10), database, clock)
    assert found == {"attempts": 1}
    assert count(database, *ABOUT_ALERTS) == [4, 4, 4, 4, 3]


@pytest.mark.both_databases
def test_tests_of_channels_go(database: Database, team: models.Team, days: Any) -> None:
    with database.write() as session:
        alert = factories.alert(session, team)
        for at in (OLD, YOUNG):
            row = factories.notification(
                session, alert, alert_id=None, state=SENT, created_at=at, finished_at=at
            )
            session.add(attempt(row, at))
    maintenance.prune(days(retention_attempts=10), database, clock)
    assert count(database, models.Notification, models.Attempt) == [1, 1]


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("setting", "model"),
    [("retention_intake", models.IntakeRequest), ("retention_audit", models.AuditEntry)],
)
def test_requests_and_the_audit_log_go_by_their_own_days(
    database: Database, team: models.Team, days: Any, setting: str, model: type[Any]
) -> None:
    with database.write() as session:
        for at in (OLD, YOUNG):
            session.add(models.IntakeRequest(received_at=at, body=b"{}", outcomes=[]))
            session.add(
                models.AuditEntry(
                    at=at, actor="gail", action="create", subject_kind="team", subject="a", diff={}
                )
            )
    maintenance.prune(days(), database, clock)
    assert count(database, models.IntakeRequest, models.AuditEntry) == [2, 2]
    maintenance.prune(days(**{setting: 10}), database, clock)
    assert count(database, model) == [1]
    assert sorted(count(database, models.IntakeRequest, models.AuditEntry)) == [1, 2]


@pytest.mark.both_databases
def test_a_run_that_is_out_of_time_goes_on_the_next_time(
    database: Database, team: models.Team, days: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = tuple(replace(kind, batch=2) for kind in kinds.RETENTION_KINDS)
    monkeypatch.setattr(kinds, "RETENTION_KINDS", small)
    for _ in range(5):
        add_alert(database, team, OLD)
    ticks = iter(NOW + timedelta(seconds=20) * number for number in range(100))
    first = maintenance.prune(days(**EVERYTHING), database, lambda: next(ticks))
    assert first == {"alerts": 2, "attempts": 2}
    assert maintenance.prune(days(**EVERYTHING), database, clock)["alerts"] == 3
    assert count(database, *ABOUT_ALERTS) == [0] * 5
    assert maintenance.prune(days(**EVERYTHING), database, clock) == {}


@pytest.mark.both_databases
def test_a_batch_is_one_short_transaction(
    database: Database, team: models.Team, query_count: Any
) -> None:
    for _ in range(3):
        add_alert(database, team, OLD)
    alerts = replace(kinds.RETENTION_KINDS[3], batch=2)
    with query_count() as statements, database.write() as session:
        assert kinds.prune_old_rows(session, alerts, 10, NOW) == 2
    assert len(statements) == 2, statements
    assert count(database, models.Alert) == [1]


def test_on_postgresql_two_workers_take_different_batches(
    postgresql: Database, request: pytest.FixtureRequest
) -> None:
    from tests.conftest import _empty

    _empty(postgresql)
    with postgresql.write() as session:
        team = factories.team(session, factories.group(session, "sre"), "core")
    for _ in range(3):
        add_alert(postgresql, team, OLD)
    alerts = replace(kinds.RETENTION_KINDS[3], batch=2)
    with postgresql.write() as one, postgresql.write() as other:
        assert kinds.prune_old_rows(one, alerts, 10, NOW) == 2
        assert kinds.prune_old_rows(other, alerts, 10, NOW) == 1
    assert count(postgresql, models.Alert) == [0]


@pytest.mark.parametrize("kind", kinds.RETENTION_KINDS, ids=lambda kind: kind.name)
def test_what_is_old_is_found_by_an_index_in_its_order(
    database: Database, kind: kinds.RetentionKind
) -> None:
    """Sorting all rows for each batch would hold up every writer."""
    compiled = (
        kind.old(NOW)
        .limit(kind.batch)
        .compile(database.reading, compile_kwargs={"literal_binds": True})
    )
    with database.reading.connect() as connection:
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")]
    assert plan
    assert not [step for step in plan if step.startswith(("SCAN", "USE TEMP"))], plan
