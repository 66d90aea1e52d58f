"""Installations of real processes, on each database with each queue."""

import os
import secrets
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.e2e.sinks import MailSink, WebhookSink
from tests.e2e.stack import Stack

REDIS = os.environ.get("INCIDENTRELAY_TEST_REDIS", "redis://127.0.0.1:6379")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have two of these tests at a time, from the very beginning.

    They mostly wait, and the other processes of the suite use the processor meanwhile.
    More of them at once would miss their deadlines. xdist begins with the largest groups.
    """
    ours = [item for item in items if item.get_closest_marker("e2e")]
    for number, item in enumerate(ours):
        item.add_marker(pytest.mark.xdist_group(f"e2e-{number % 2}"))


def need(present: bool, what: str) -> None:
    """Skip where a peer is missing; in CI that is a failure."""
    if present:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing")
    pytest.skip(f"{what} is missing")


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/relay.sqlite"
    return str(request.getfixturevalue("blank_postgresql"))


@pytest.fixture
def queue_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/queue.sqlite"
        return
    if request.param == "postgresql":
        # In the database of the data.
        yield str(request.getfixturevalue("blank_postgresql"))
        return
    # Tests that run side by side must not share a queue.
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    url = f"{REDIS}/{1 + int(worker)}"
    client = redis.Redis.from_url(url, socket_connect_timeout=3)
    try:
        client.flushdb()
    except redis.ConnectionError:
        need(False, "Redis")
    yield url
    client.flushdb()
    client.close()


@pytest.fixture
def mail() -> Iterator[MailSink]:
    sink = MailSink()
    yield sink
    sink.close()


@pytest.fixture
def hook() -> Iterator[WebhookSink]:
    sink = WebhookSink("whsec_" + b64encode(secrets.token_bytes(32)).decode())
    yield sink
    sink.close()
    assert sink.faults == []


@dataclass
class Installation:
    """Ann is on call and bob is next; one Alertmanager route, one webhook channel."""

    stack: Stack
    mail: MailSink
    hook: WebhookSink
    token: str

    def post(self, name: str = "DiskFull", *, resolved: bool = False) -> Any:
        """Send one alert as Alertmanager would; the verdict on it."""
        return self._send([name], "resolved" if resolved else "firing")[0]

    def taken_in(self, alert_id: int) -> float:
        """When the alert was created (seconds since 1970)."""
        events = self.stack.timeline(alert_id)
        return min(datetime.fromisoformat(event["at"]).timestamp() for event in events)

    def post_all(self, names: list[str]) -> list[int]:
        """Send firing alerts in one request; their ids."""
        return [verdict["id"] for verdict in self._send(names, "firing")]

    def _send(self, names: list[str], status: str) -> Any:
        labels = [{"alertname": name, "severity": "critical"} for name in names]
        alerts = [{"status": status, "labels": each} for each in labels]
        body = {"version": "4", "alerts": alerts}
        code, verdicts = self.stack.api(
            "POST", "/api/integrations/alertmanager", body, token=self.token
        )
        assert code == 200, verdicts
        return verdicts


@pytest.fixture
def install(
    tmp_path: Path, database_url: str, queue_url: str, mail: MailSink, hook: WebhookSink
) -> Iterator[Callable[..., Installation]]:
    """``install(reminder_interval=2, …)`` → a running installation."""
    stacks: list[Stack] = []

    def make(*, reminder_interval: int = 3600, **options: Any) -> Installation:
        stack = Stack(tmp_path, database_url, queue_url, smtp_port=mail.port, **options)
        stacks.append(stack)
        stack.prepare()
        stack.start()
        return Installation(stack, mail, hook, furnish(stack, hook, reminder_interval))

    yield make
    for stack in stacks:
        stack.stop()


def furnish(stack: Stack, hook: WebhookSink, reminder_interval: int) -> str:
    """Make the people and the way of the alerts by the API; returns the route's token."""
    for name in ("ann", "bob"):
        stack.make("/users", username=name, display_name=name.title(), email=f"{name}@example.org")
    stack.make("/groups", slug="ops", name="Ops")
    for name in ("ann", "bob"):
        stack.make("/groups/ops/members", username=name, role="responder")
    team = "/groups/ops/teams"
    stack.make(team, slug="core", name="Core", escalation_after_reminders=1)
    stack.make(
        f"{team}/core/rotations",
        slug="primary",
        name="Primary",
        kind="weekly",
        # Far from now, so that no turn ends while the test runs.
        handoff_weekday=(datetime.now(UTC).weekday() + 3) % 7,
        members=["ann", "bob"],
        reminder_interval=reminder_interval,
    )
    config = {"url": hook.url, "secret": hook.secret}
    stack.make(f"{team}/core/channels", slug="hook", name="Hook", kind="webhook", config=config)
    route = stack.make(
        f"{team}/core/routes",
        slug="alertmanager",
        name="Alertmanager",
        source="alertmanager",
        rotation="primary",
        channels=["hook"],
    )
    return str(route["token"])
