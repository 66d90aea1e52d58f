"""``/readyz`` tries what it promises; and responses while the database is locked."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from incidentrelay import db
from incidentrelay.db import Database
from incidentrelay.postgresql import Timeouts
from incidentrelay.services.intake import receive as intake_receive
from incidentrelay.web.api.intake.transactions import BRIEFLY
from incidentrelay.web.health import TRIAL_EVERY, WriteTrial
from tests.support import factories
from tests.support.client import Client
from tests.support.mute_proxy import MuteProxy

WEBHOOK = "/api/integrations/webhook"


@pytest.fixture(autouse=True)
def fresh_trial(app: Any) -> None:
    app.registry["write_trial"] = WriteTrial()


@pytest.fixture
def hasty(app: Any, database: Database) -> Iterator[Database]:
    """The application's database, from another machine with a short timeout for locks."""
    url = database.url.render_as_string(hide_password=False)
    hasty = Database(url, timeouts=Timeouts(lock=1))
    app.registry["database"] = hasty
    yield hasty
    hasty.dispose()


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_intake_behind_a_frozen_route_is_told_to_come_back(
    hasty: Database, database: Database, with_token: Any, cast: Any, testapp: Client
) -> None:
    problem = {"title": "Disk is full"}
    with database.write() as frozen:
        intake_receive.lock_route(frozen, cast.teams["core"].route.id, factories.NOW)
        answer = with_token(cast.teams["core"].token).post_json(WEBHOOK, problem, status=503)
        assert 0 < int(answer.headers["Retry-After"]) <= 10
        assert answer.json["detail"] == "Another change to this has not finished; try again."
        other = with_token(cast.teams["web"].token).post_json(WEBHOOK, problem)
        assert other.json[0]["outcome"] == "created"


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_a_frozen_route_does_not_use_up_the_threads(
    hasty: Database, database: Database, with_token: Any, cast: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    limits: list[timedelta] = []
    real = db.waiting_at_most

    def note(session: Session, limit: timedelta) -> AbstractContextManager[None]:
        limits.append(limit)
        return real(session, limit)

    monkeypatch.setattr(db, "waiting_at_most", note)
    client, problem = with_token(cast.teams["core"].token), {"title": "Disk is full"}
    with database.write() as frozen:
        intake_receive.lock_route(frozen, cast.teams["core"].route.id, factories.NOW)
        client.post_json(WEBHOOK, problem, status=503)
        assert limits == []
        assert client.post_json(WEBHOOK, problem, status=503).headers["Retry-After"]
        assert limits == [BRIEFLY]
    assert client.post_json(WEBHOOK, problem).json[0]["outcome"] == "created"
    assert client.post_json(WEBHOOK, problem).json[0]["outcome"] == "duplicate"
    # A route that is free again is not waited for at all.
    assert limits == [BRIEFLY]


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_behind_silent_connections_everything_answers_and_recovers(
    app: Any, database: Database, with_token: Any, cast: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("incidentrelay.postgresql.PROBE_SECONDS", 0.3)
    url = database.url
    client = with_token(cast.teams["core"].token)
    with MuteProxy(url.host or "127.0.0.1", url.port or 5432) as proxy:
        through = url.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
        app.registry["database"] = remote = Database(through, timeouts=Timeouts(connect=2))
        assert client.get("/readyz").json["writable"] is True
        proxy.mute()
        assert client.get("/healthz").json == {"status": "ok"}
        assert client.get("/readyz", status=503).json["database"] is False
        answer = client.post_json(WEBHOOK, {"title": "Disk is full"}, status=503)
        assert int(answer.headers["Retry-After"]) > 0
        proxy.unmute()
        assert client.post_json(WEBHOOK, {"title": "Disk is full"}).json[0]["created"] is True
        remote.dispose()


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_a_page_behind_a_lock_is_a_page_that_says_so(
    hasty: Database, database: Database, login_as: Any, cast: Any
) -> None:
    with database.write() as frozen:
        frozen.execute(text("LOCK TABLE alerts"))
        answer = login_as("gail").get("/alerts", status=503)
    assert answer.headers["Retry-After"] == "5"
    assert "Another change to this has not finished" in answer.text


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_readiness_says_that_something_is_blocked(
    database: Database, testapp: Client, cast: Any
) -> None:
    assert testapp.get("/readyz").json["blocked_since"] is None
    url = database.url.render_as_string(hide_password=False)
    patient = Database(url, timeouts=Timeouts(lock=30, statement=30))
    route_id = cast.teams["core"].route.id

    def wait_for_lock() -> None:
        with patient.write() as session:
            intake_receive.lock_route(session, route_id, factories.NOW)

    waiting = threading.Thread(target=wait_for_lock)
    with database.write() as frozen:
        intake_receive.lock_route(frozen, route_id, factories.NOW)
        waiting.start()
        answers = (testapp.get("/readyz").json["blocked_since"] for _ in range(10_000))
        blocked_since = next(answer for answer in answers if answer is not None)
    waiting.join()
    patient.dispose()
    assert blocked_since.endswith("Z")


def test_a_full_disk_is_not_ready(database: Database, testapp: Client) -> None:
    with database.writing.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    answer = testapp.get("/readyz", status=503).json
    assert answer == {
        "status": "unavailable", "database": True, "schema": True, "writable": False,
    }  # fmt: skip


def test_a_disk_with_room_is_ready(testapp: Client) -> None:
    assert testapp.get("/readyz").json["writable"] is True


def test_a_read_only_file_is_not_ready(database: Database, testapp: Client) -> None:
    with database.writing.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=ON")
    assert testapp.get("/readyz", status=503).json["writable"] is False


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_a_standby_is_not_ready_and_takes_no_alert(
    app: Any, database: Database, with_token: Any, cast: Any, testapp: Client
) -> None:
    url = database.url.update_query_dict({"options": "-c default_transaction_read_only=on"})
    standby = Database(url.render_as_string(hide_password=False))
    app.registry["database"] = standby
    assert testapp.get("/readyz", status=503).json["writable"] is False
    client = with_token(cast.teams["core"].token)
    answer = client.post_json(WEBHOOK, {"title": "Disk is full"}, status=503)
    assert int(answer.headers["Retry-After"]) > 0
    standby.dispose()


def test_a_write_is_tried_every_few_seconds(database: Database, now: Any) -> None:
    trial, writes = WriteTrial(), []

    def note(connection: Any) -> None:
        writes.append(connection)

    event.listen(database.writing, "commit", note)
    try:
        for seconds in (0, 1, 4):
            assert trial(database, now + timedelta(seconds=seconds))
        assert len(writes) == 1
        assert trial(database, now + TRIAL_EVERY)
        assert len(writes) == 2
        # The clock was set back.
        assert trial(database, now - timedelta(hours=2))
        assert len(writes) == 3
    finally:
        event.remove(database.writing, "commit", note)
