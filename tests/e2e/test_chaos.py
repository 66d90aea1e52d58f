"""What was accepted is delivered, whatever dies: a short drill, and each point of dying."""

import http.client
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from incidentrelay.domain.enums import DeliveryState
from incidentrelay.models import Alert, Attempt, Notification
from tests.chaos import drill
from tests.chaos.crashing import KILLED, WEB_POINTS
from tests.chaos.drill import Ground, ground
from tests.chaos.faults import Kind, plan
from tests.chaos.senders import Ledger, Sender, Told
from tests.conftest import NoServer
from tests.e2e.conftest import need
from tests.e2e.sinks import Hook, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.chaos, pytest.mark.timeout(240)]

DATABASES = ("sqlite", "postgresql")
# How often the receiver has a page whose worker died at the point, and how many attempts
# there were. A claim that was rolled back is none.
WORKER_POINTS = {
    "before-claim-commit": (1, 1),
    "before-send": (1, 2),
    "before-record": (2, 2),
    "before-record-commit": (2, 2),
    "after-record": (1, 1),
}


@pytest.mark.parametrize("database", DATABASES)
def test_a_drill_keeps_every_promise(database: str, tmp_path: Path) -> None:
    need(database == "sqlite" or shutil.which("redis-server") is not None, "redis-server")
    try:
        report = drill.run(tmp_path, database, seed=1, seconds=10, deadline=60, pause=1)
    except NoServer:
        need(False, "PostgreSQL")
        return
    assert report.complaints == [], str(report)
    figures = dict(report.rows)
    assert int(figures["requests accepted"]) > 10, str(report)
    assert int(figures["workers that died"]) > 0, str(report)


@pytest.fixture(scope="module", params=DATABASES)
def place(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Ground]:
    """One web server and one worker, shared by all points of dying."""
    kind = str(request.param)
    need(kind == "sqlite" or shutil.which("redis-server") is not None, "redis-server")
    try:
        with ground(tmp_path_factory.mktemp(kind), kind, webs=1) as place:
            place.fleet.spawn("worker-1")
            yield place
    except NoServer:
        need(False, "PostgreSQL")


def post(place: Ground, name: str) -> Any:
    """One firing alert; its verdict. Raises where the connection breaks off."""
    alert = {"status": "firing", "labels": {"alertname": name}, "fingerprint": name}
    status, verdicts = place.fleet.api(
        "POST", "/api/integrations/alertmanager", {"alerts": [alert]}, token=place.token
    )
    assert status == 200, verdicts
    return verdicts[0]


def ids_of(place: Ground, name: str) -> list[int]:
    with place.database.read() as session:
        alerts = session.scalars(select(Alert).order_by(Alert.id)).all()
        return [alert.id for alert in alerts if alert.labels["alertname"] == name]


def page_of(place: Ground, alert_id: int) -> tuple[DeliveryState, int, int]:
    """State, attempts and recorded results of the page by webhook."""
    row = webhook_row(place, alert_id)
    with place.database.read() as session:
        results = session.scalars(select(Attempt).where(Attempt.notification_id == row.id))
        return row.state, row.attempts, len(results.all())


def arrived(place: Ground, alert_id: int) -> list[Hook]:
    return [hook for hook in place.hook.of_type("page") if alert_id in hook.alert_ids]


def wait_for_the_page(place: Ground, alert_id: int) -> None:
    eventually(lambda: page_of(place, alert_id)[0] is DeliveryState.SENT, 30, "it is sent")


def die_and_come_back(place: Ground, name: str) -> None:
    end = eventually(place.fleet.ended, 30, "a process dies at the point")
    assert end == (name, KILLED), place.fleet.log(name)
    place.fleet.spawn(name)


@pytest.mark.parametrize("point", WEB_POINTS)
def test_a_web_server_that_dies_at(point: str, place: Ground) -> None:
    place.fleet.arm(point)
    with pytest.raises((OSError, http.client.HTTPException)):
        post(place, point)
    die_and_come_back(place, "serve-1")
    place.fleet.ready("serve-1")
    # Nothing was answered; what was committed counts all the same.
    stored = ids_of(place, point)
    assert len(stored) == (0 if point == "before-commit" else 1)
    if stored:
        wait_for_the_page(place, stored[0])
    verdict = post(place, point)
    assert verdict["outcome"] == ("duplicate" if stored else "created")
    assert ids_of(place, point) == [verdict["id"]]
    wait_for_the_page(place, verdict["id"])
    assert len(arrived(place, verdict["id"])) == 1


@pytest.mark.parametrize("point", WORKER_POINTS)
def test_a_worker_that_dies_at(point: str, place: Ground) -> None:
    arrivals, attempts = WORKER_POINTS[point]
    place.fleet.arm(point)
    alert_id = post(place, point)["id"]
    die_and_come_back(place, "worker-1")
    wait_for_the_page(place, alert_id)
    assert page_of(place, alert_id)[1:] == (attempts, 1)
    hooks = arrived(place, alert_id)
    assert len(hooks) == arrivals
    # The receiver can tell that it is the same page.
    assert len({hook.id for hook in hooks}) == 1


def webhook_row(place: Ground, alert_id: int) -> Notification:
    with place.database.read() as session:
        query = select(Notification).where(
            Notification.alert_id == alert_id, Notification.method == "webhook"
        )
        return session.scalars(query).one()


@pytest.mark.parametrize("database", DATABASES)
def test_a_drill_of_a_worker_that_is_killed_while_it_sends(database: str, tmp_path: Path) -> None:
    """Its successor takes the page back at once; the lease would end much later."""
    with ready_ground(tmp_path, database) as place:
        place.fleet.environ |= {
            "INCIDENTRELAY_OUTBOUND_TIMEOUT": "60",
            "INCIDENTRELAY_DELIVERY_LEASE": "120",
        }
        place.fleet.spawn("worker-1")
        place.fleet.arm("before-record")
        alert_id = post(place, "killed")["id"]
        end = eventually(place.fleet.ended, 30, "the worker dies while it sends")
        assert end == ("worker-1", KILLED)
        lease_end = webhook_row(place, alert_id).next_at
        place.fleet.spawn("worker-1")
        wait_for_the_page(place, alert_id)
        row = webhook_row(place, alert_id)
        assert row.finished_at is not None
        assert lease_end is not None
        assert row.finished_at < lease_end - timedelta(seconds=20)
        first, second = arrived(place, alert_id)
        assert first.id == second.id, "the receiver can tell that it is the same page"


@pytest.mark.parametrize("database", DATABASES)
def test_a_drill_of_pages_that_failed_once_among_fresh_ones(database: str, tmp_path: Path) -> None:
    """Three are refused; then fresh ones come faster than the channel's rate."""
    with ready_ground(tmp_path, database) as place:
        place.hook.fail(503)
        place.fleet.spawn("worker-1")
        failed = {post(place, f"failed-{number}")["id"] for number in range(3)}
        eventually(
            lambda: all(webhook_row(place, each).attempts for each in failed), 30, "each is tried"
        )
        place.hook.recover()
        began, number = time.monotonic(), 0
        while not failed <= place.hook.told("page"):
            assert time.monotonic() - began < 45, "they starve"
            post(place, f"fresh-{number}")
            number += 1
        assert number > 0


@contextmanager
def ready_ground(folder: Path, database: str) -> Iterator[Ground]:
    """One web server, and everything that workers need."""
    need(database == "sqlite" or shutil.which("redis-server") is not None, "redis-server")
    with ExitStack() as stack:
        try:
            place = stack.enter_context(ground(folder, database, webs=1))
        except NoServer:
            need(False, "PostgreSQL")
        yield place


def test_a_plan_follows_from_its_seed_and_leaves_nothing_out() -> None:
    kinds = tuple(Kind)
    made = plan(7, 60, pause=1, kinds=kinds)
    assert made == plan(7, 60, pause=1, kinds=kinds)
    assert made != plan(8, 60, pause=1, kinds=kinds)
    assert {fault.kind for fault in made} == set(kinds)
    assert all(0 < fault.at < 60 for fault in made)
    assert list(made) == sorted(made, key=lambda fault: fault.at)
    assert all(bool(fault.point) == (fault.kind is Kind.CRASH) for fault in made)


def test_a_sender_that_gives_up_says_what_was_never_taken_in() -> None:
    """Nothing listens: a drill must not call that success."""
    ledger = Ledger()
    sender = Sender("lonely", "1", ["http://127.0.0.1:1"], "token", ledger)
    sender.start()
    eventually(lambda: ledger.retries > 0, 10, "a second try")
    sender.stop()
    sender.give_up()
    sender.join(10)
    assert not sender.is_alive()
    assert ledger.unanswered
    assert ledger.accepted == 0
    assert set(ledger.unanswered) <= set(ledger.alerts)
    assert all(told.since <= time.time() for told in ledger.alerts.values() if told != Told())
