"""Alertmanager gives an alert up too early and says once that it fires again."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from incidentrelay import runtime
from incidentrelay.db import Database
from incidentrelay.models import Route
from incidentrelay.settings.declaration import Settings
from incidentrelay.tasks.jobs import HINTS, JOBS
from tests.support import cast as standing_cast
from tests.support.client import Client

pytestmark = pytest.mark.both_databases

SECOND = timedelta(seconds=1)
START, END = "2026-03-10T09:00:00.123456789Z", "2026-03-10T09:04:00Z"


class Story:
    """One Alertmanager, one worker, and a clock for both."""

    def __init__(self, app: Any, source: Client, database: Database, settings: Settings) -> None:
        self.now: datetime = app.registry["clock"]()
        app.registry["clock"] = lambda: self.now
        self._source = source
        self._worker = runtime.build(settings, clock=lambda: self.now, database=database)
        self.hints: list[Any] = []
        database.sink = self.hints.extend

    def send(self, status: str, after: int) -> Any:
        """Send one alert ``after`` so many seconds; returns its verdict."""
        self.now += after * SECOND
        ended = END if status == "resolved" else "0001-01-01T00:00:00Z"
        alert = {
            "status": status,
            "labels": {"alertname": "TargetDown", "instance": "db1", "severity": "critical"},
            "annotations": {"summary": "db1 is down"},
            "startsAt": START,
            "endsAt": ended,
            "fingerprint": "791cec13fcba0368",
        }
        body = {"version": "4", "status": status, "alerts": [alert]}
        (verdict,) = self._source.post_json("/api/integrations/alertmanager", body).json
        return verdict

    def sweep(self, after: int) -> None:
        self.now += after * SECOND
        job = next(job for job in JOBS if job.name == "refires")
        job.run(self._worker.runner.context)


@pytest.fixture
def story(
    app: Any, with_token: Callable[[str], Client], cast: standing_cast.Cast, database: Database,
    settings: Settings,
) -> Story:  # fmt: skip
    with database.write() as session:
        session.get_one(Route, cast.teams["core"].route.id).source = "alertmanager"
    return Story(app, with_token(cast.teams["core"].token), database, settings)


def test_a_refire_that_is_sent_once_pages_after_the_window(story: Story, login_as: Any) -> None:
    alert = f"/api/alerts/{story.send('firing', 0)['id']}"
    assert story.send("resolved", 300)["outcome"] == "resolved"
    verdict = story.send("firing", 30)
    assert (verdict["outcome"], verdict["status"]) == ("ignored", "resolved")
    assert "held until 12:06:00 UTC" in verdict["reason"]
    (hint,) = [hint for hint in story.hints if hint.task == "refires"]
    assert hint.at == story.now + 30 * SECOND
    assert hint.task in HINTS
    story.sweep(29)
    vera = login_as("vera")
    assert vera.get(alert).json["status"] == "resolved"
    story.sweep(1)
    assert vera.get(alert).json["status"] == "firing"
    lines = vera.get(f"{alert}/events?sort=id").json["items"]
    kinds = sorted((event["id"], event["kind"]) for event in lines)
    assert [kind for _, kind in kinds][-3:] == ["refire_held", "reopened", "paged"]
    assert "held until 12:06:00 UTC" in login_as("vera").get(f"{alert}/explanation").text
    # Alertmanager repeats it hours later.
    assert story.send("firing", 4 * 3600)["outcome"] == "duplicate"


def test_a_late_copy_of_a_cluster_pages_nobody(story: Story, login_as: Any) -> None:
    alert = f"/api/alerts/{story.send('firing', 0)['id']}"
    story.send("resolved", 10)
    # The peer waited for its turn and heard nothing of the other's messages.
    assert story.send("firing", 5)["outcome"] == "ignored"
    assert "dropped" in story.send("resolved", 15)["reason"]
    story.sweep(60)
    assert login_as("vera").get(alert).json["status"] == "resolved"
