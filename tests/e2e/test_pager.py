"""The main job with real processes: Alertmanager fires, people are paged, and react."""

import re
import urllib.parse
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from incidentrelay.services.outbox.records import MAX_CONCURRENT_PER_PROVIDER
from tests.e2e.conftest import Installation, need
from tests.e2e.monitoring import ALERTMANAGER, Alertmanager
from tests.e2e.sinks import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

EVERYWHERE = pytest.mark.parametrize(
    ("database_url", "queue_url"),
    [
        ("sqlite", "sqlite"),
        ("sqlite", "redis"),
        ("postgresql", "sqlite"),
        ("postgresql", "redis"),
        ("postgresql", "postgresql"),
    ],
    indirect=True,
)
ON_BOTH = pytest.mark.parametrize(
    ("database_url", "queue_url"), [("sqlite", "sqlite"), ("postgresql", "redis")], indirect=True
)

Install = Callable[..., Installation]


def act_link(text: str) -> str:
    found = re.search(r"http://\S+/act/\S+", text)
    assert found is not None, text
    return found[0]


def follow(url: str, **form: str) -> str:
    """GET, or POST where there is a form; without any cookie."""
    data = urllib.parse.urlencode(form).encode() if form else None
    with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=20) as response:
        assert response.status == 200
        return str(response.read().decode())


@EVERYWHERE
def test_from_alertmanager_to_the_phone_and_back(install: Install, tmp_path: Path) -> None:
    need(Path(ALERTMANAGER).exists(), "Alertmanager")
    relay = install(reminder_interval=2)
    stack, hook, mail = relay.stack, relay.hook, relay.mail
    manager = Alertmanager(tmp_path, f"{stack.url}/api/integrations/alertmanager", relay.token)
    try:
        labels = {"alertname": "DiskFull", "instance": "host1", "severity": "critical"}
        manager.send(labels)
        page = eventually(lambda: hook.of_type("page"), 20, "the page")[0]
        alert_id = page.data["alert"]["id"]
        assert page.at - relay.taken_in(alert_id) < 2

        eventually(lambda: mail.to("ann@example.org"), 5, "ann's mail")
        eventually(lambda: hook.of_type("reminder"), 10, "the reminder")
        eventually(lambda: hook.of_type("escalation"), 10, "the escalation")
        bobs = eventually(lambda: mail.to("bob@example.org"), 5, "bob's mail")[0]

        text = bobs.get_body(("plain",))
        assert text is not None
        link = act_link(text.get_content())
        assert "DiskFull" in follow(link)
        assert stack.api("GET", f"/api/alerts/{alert_id}")[1]["status"] == "firing"
        assert "cknowledged" in follow(link, action="acknowledge")
        alert = stack.api("GET", f"/api/alerts/{alert_id}")[1]
        assert (alert["status"], alert["acknowledged_by"]) == ("acknowledged", "bob")

        manager.send(labels, resolved=True)

        def resolved() -> bool:
            return bool(stack.api("GET", f"/api/alerts/{alert_id}")[1]["status"] == "resolved")

        eventually(resolved, 20, "the alert is resolved by Alertmanager")
    finally:
        manager.stop()
    kinds = [event["kind"] for event in stack.timeline(alert_id)]
    for kind in (
        "created",
        "paged",
        "notification_sent",
        "reminded",
        "escalated",
        "acknowledged",
        "resolved",
    ):
        assert kind in kinds, kinds


@ON_BOTH
def test_a_worker_killed_between_claim_and_result_loses_nothing(install: Install) -> None:
    relay = install(lease=6, sweep=1, timeout=5)
    relay.hook.hanging.set()
    relay.post()
    first = eventually(lambda: relay.hook.of_type("page"), 20, "the first attempt")[0]
    relay.stack.kill("worker")
    relay.hook.hanging.clear()
    relay.stack.start("worker")
    pages = eventually(
        lambda: len(relay.hook.of_type("page")) > 1 and relay.hook.of_type("page"),
        30,
        "the page, after the dead worker's lease",
    )
    # The receiver can tell that it is the same page.
    assert {page.id for page in pages} == {first.id}


@ON_BOTH
def test_an_escalation_goes_on_after_everything_was_killed(install: Install) -> None:
    relay = install(reminder_interval=3)
    relay.post()
    eventually(lambda: relay.hook.of_type("page"), 20, "the page")
    relay.stack.kill()
    relay.stack.start()
    eventually(lambda: relay.hook.of_type("reminder"), 30, "the reminder after the restart")
    eventually(lambda: relay.hook.of_type("escalation"), 30, "the escalation after the restart")


@pytest.mark.parametrize(
    ("database_url", "queue_url"), [("sqlite", "sqlite"), ("postgresql", "sqlite")], indirect=True
)
def test_losing_the_queue_loses_nothing(install: Install, tmp_path: Path) -> None:
    """With no worker running, pages are accepted; then the queue is deleted."""
    relay = install(sweep=1)
    relay.stack.kill("worker")
    ids = {relay.post(f"Disk{number}")["id"] for number in range(5)}
    relay.stack.kill("serve")
    for file in tmp_path.glob("queue.sqlite*"):
        file.unlink()
    relay.stack.start()

    eventually(lambda: relay.hook.told("page") == ids, 30, "a page for each alert")


@pytest.mark.parametrize(("database_url", "queue_url"), [("sqlite", "redis")], indirect=True)
def test_a_dead_queue_makes_pages_late_not_lost(install: Install) -> None:
    """Nothing listens where the queue should be: intake accepts, the sweeper delivers."""
    relay = install(sweep=1)
    relay.stack.stop()
    relay.stack.environ["INCIDENTRELAY_HUEY_URL"] = "redis://127.0.0.1:1/0"
    relay.stack.start()
    relay.post()
    eventually(lambda: relay.hook.of_type("page"), 20, "the page without a queue")


@ON_BOTH
def test_ten_parallel_posts_of_a_new_signal_are_one_alert_and_one_page(install: Install) -> None:
    relay = install()
    with ThreadPoolExecutor(10) as pool:
        verdicts = list(pool.map(lambda _: relay.post(), range(10)))
    outcomes = sorted(verdict["outcome"] for verdict in verdicts)
    assert outcomes == ["created"] + ["duplicate"] * 9
    (alert_id,) = {verdict["id"] for verdict in verdicts}

    def all_sent() -> bool:
        page = relay.stack.api("GET", f"/api/alerts/{alert_id}/notifications")[1]
        return all(row["state"] in {"sent", "delivered"} for row in page["items"])

    eventually(all_sent, 20, "everything that is owed is sent")
    assert len(relay.hook.of_type("page")) == 1
    assert len(relay.mail.to("ann@example.org")) == 1


@ON_BOTH
def test_a_provider_that_hangs_delays_nobody_else(install: Install) -> None:
    """Forty pages wait for a receiver that never answers; the mails go out all the same."""
    relay = install(timeout=60)
    relay.hook.hang()
    ids = {relay.post(f"Disk{number}")["id"] for number in range(40)}
    eventually(lambda: relay.mail.told("ann@example.org") == ids, 60, "mails of all forty")
    # After five seconds without an answer they are given up, and others follow.
    pages = relay.hook.of_type("page")
    at_once = [page for page in pages if page.at - pages[0].at < 4]
    assert 1 <= len(at_once) <= MAX_CONCURRENT_PER_PROVIDER
    relay.hook.recover()
    eventually(lambda: relay.hook.told("page") == ids, 60, "all pages, when it is well again")


@ON_BOTH
def test_a_storm_is_a_handful_of_messages_and_none_is_lost(install: Install) -> None:
    """A thousand alerts within some seconds, by ten requests."""
    relay = install(sweep=5)
    ids: set[int] = set()
    for start in range(0, 1000, 100):
        ids |= set(relay.post_all([f"Disk{start + number}" for number in range(100)]))
    assert len(ids) == 1000
    eventually(lambda: relay.hook.told("page") == ids, 90, "webhooks that tell of all")
    eventually(lambda: relay.mail.told("ann@example.org") == ids, 90, "mails that tell of all")
    hooks = relay.hook.of_type("page")
    created = min(relay.taken_in(alert_id) for alert_id in hooks[0].alert_ids)
    assert hooks[0].at - created < 2
    assert len(hooks) <= 25
    assert len(relay.mail.to("ann@example.org")) <= 25
    # Each alert knows the message that told of it.
    keys = {each: hook.id for hook in hooks for each in hook.alert_ids}
    for alert_id in sorted(ids)[::100]:
        rows = relay.stack.api("GET", f"/api/alerts/{alert_id}/notifications")[1]["items"]
        (page,) = [row for row in rows if row["method"] == "webhook"]
        assert page["state"] == "sent"
        assert page["bundle"] == keys[alert_id]


@ON_BOTH
def test_a_provider_that_was_down_gets_all_that_is_still_needed(install: Install) -> None:
    """Its circuit opens, so that waiting costs no tries, and closes when it is back."""
    relay = install(sweep=2)
    relay.hook.fail(503)
    relay.post("First")

    def failures() -> int:
        channel = "/api/groups/ops/teams/core/channels/hook"
        return int(relay.stack.api("GET", channel)[1]["circuit"]["failures"])

    eventually(lambda: failures() >= 5, 60, "the circuit opens")
    ids = {relay.post(f"Disk{number}")["id"] for number in range(20)}
    gone = relay.post("Disk0", resolved=True)["id"]
    relay.hook.recover()
    eventually(lambda: relay.hook.told("page") >= ids - {gone}, 90, "all pages, when it is back")
    assert gone not in relay.hook.told("page")
    eventually(lambda: failures() == 0, 10, "the circuit closes")
