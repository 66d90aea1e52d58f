"""Jobs of the worker: sweeps, bad rows, and isolation of failing jobs."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

import incidentrelay
from incidentrelay import tasks
from incidentrelay.channels.base import SendResult
from incidentrelay.channels.registry import Registry, default_registry
from incidentrelay.db import Database
from incidentrelay.domain.enums import DeliveryState
from incidentrelay.models import Notification, Route, Team, User
from incidentrelay.services.alerts.links import LinkMaker
from incidentrelay.services.common import heartbeats
from incidentrelay.services.delivery import claims, shift_reminders
from incidentrelay.services.escalation import runner as escalation_runner
from incidentrelay.services.outbox import records as outbox_records
from incidentrelay.services.silences import transitions as silence_transitions
from incidentrelay.settings.declaration import Settings
from incidentrelay.tasks import deliveries, escalations, maintenance
from incidentrelay.tasks.context import WorkerContext
from incidentrelay.tasks.jobs import HINTS, JOBS
from incidentrelay.tasks.runner import Runner
from incidentrelay.transport.http import HTTPClient
from incidentrelay.transport.smtp import SMTPServer
from tests.support import factories
from tests.support.pager import MINUTE, NOW, VAULT, Accepts, Pager, a_signal, build


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class Kinds(Registry):
    """A registry in which every kind is one channel."""

    def __init__(self, channel: Any) -> None:
        super().__init__()
        self.channel = channel

    def names(self) -> tuple[str, ...]:
        return ("inbox", "email", "webhook")

    def get(self, name: str) -> Any:
        return self.channel


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pager(database: Database) -> Pager:
    pager = build(database)
    pager.take(a_signal())
    return pager


Make = Callable[[Any], Runner]


@pytest.fixture
def make(database: Database, settings: Settings, clock: Clock) -> Make:
    def runner(channel: Any) -> Runner:
        links = LinkMaker("http://localhost", b"a" * 32)
        return Runner(
            WorkerContext(settings, database, Kinds(channel), VAULT, links, clock, lambda: 0.5)
        )

    return runner


def states(pager: Pager) -> set[str]:
    with pager.database.read() as session:
        return {str(state) for state in session.scalars(select(Notification.state))}


def test_a_sweep_does_all_that_is_due(pager: Pager, make: Make, clock: Clock) -> None:
    channel = Accepts()
    runner = make(channel)
    assert runner.sweep()
    assert states(pager) == {"sent"}
    assert len(channel.envelopes) == 3  # ann's inbox and mail, and the team's channel
    clock.now += MINUTE
    runner.sweep()
    assert len(channel.envelopes) == 6
    with pager.database.read() as session:
        assert heartbeats.last_heartbeat(session, heartbeats.WORKER) == clock.now


def test_links_that_act_are_for_people_only(pager: Pager, make: Make) -> None:
    channel = Accepts()
    make(channel).sweep()
    acts = [envelope.links.act is not None for envelope in channel.envelopes]
    assert sorted(acts) == [False, True, True]


def test_a_channel_that_breaks_is_tried_again_and_stops_nobody(pager: Pager, make: Make) -> None:
    class Breaks:
        info: Any = None
        sent = 0

        def send(self, envelope: Any, config: Any) -> SendResult:
            if envelope.links.act is None:
                raise RuntimeError("a bug")
            self.sent += 1
            return SendResult()

    make(Breaks()).sweep()
    assert states(pager) == {"sent", "retry"}
    with pager.database.read() as session:
        row = session.scalars(select(Notification).where(Notification.state == "retry")).one()
        assert row.last_error == deliveries.INTERNAL_ERROR


def test_a_row_that_cannot_be_read_stops_nobody(pager: Pager, make: Make, clock: Clock) -> None:
    with pager.database.write() as session:
        bad = session.scalars(select(Notification.id)).first()
        session.execute(
            update(Notification).where(Notification.id == bad).values(message={"kind": "?"})
        )
    runner = make(Accepts())
    runner.sweep()
    assert states(pager) == {"sent", "retry"}
    for _ in range(20):
        clock.now += timedelta(minutes=2)
        runner.sweep()
    with pager.database.read() as session:
        assert session.get_one(Notification, bad).state is DeliveryState.FAILED


def test_a_database_that_was_away_puts_no_page_off(
    pager: Pager, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is not to blame: it is not deferred, and its attempts do not count."""
    channel, claim = Accepts(), claims.claim_notification

    def is_cut(*_: Any, **__: Any) -> Any:
        raise OperationalError("UPDATE", {}, Exception("the connection was closed"))

    runner = make(channel)
    monkeypatch.setattr(claims, "claim_notification", is_cut)
    assert runner.sweep()
    assert states(pager) == {"pending"}
    monkeypatch.setattr(claims, "claim_notification", claim)
    assert runner.sweep()
    assert states(pager) == {"sent"}
    with pager.database.read() as session:
        assert set(session.scalars(select(Notification.attempts))) == {1}


def test_an_alert_that_cannot_be_escalated_stops_nobody(
    pager: Pager, make: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pager.take(a_signal("cpu"))
    runner = make(Accepts())
    runner.sweep()
    run_plan = escalation_runner.run_plan

    def poisoned(subject: Any, *rest: Any) -> Any:
        if subject.id == 1:
            raise RuntimeError("poison")
        return run_plan(subject, *rest)

    monkeypatch.setattr(escalation_runner, "run_plan", poisoned)
    clock.now += MINUTE
    runner.sweep()
    with pager.database.read() as session:
        reminded = session.scalars(
            select(Notification.alert_id).where(Notification.kind == "reminder").distinct()
        ).all()
    assert list(reminded) == [2]


def test_a_sweep_resolves_what_its_source_is_silent_about(
    pager: Pager, make: Make, clock: Clock
) -> None:
    with pager.database.write() as session:
        session.get_one(Route, pager.route_id).auto_resolve_after = 300
    runner = make(Accepts())
    for _ in range(5):
        runner.sweep()
        clock.now += MINUTE
    with pager.database.read() as session:
        assert pager.alert(session).status == "firing"
    runner.sweep()
    with pager.database.read() as session:
        assert pager.alert(session).status == "resolved"


def test_a_sweep_finds_an_alert_that_somebody_left(
    pager: Pager, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pager.database.write() as session:
        session.execute(update(User).where(User.username == "ann").values(active=False))
    with monkeypatch.context() as broken:
        broken.setattr(escalations.departures, "release_alert", lambda *_: 1 / 0)
        assert make(Accepts()).sweep()
    with pager.database.read() as session:
        assert pager.alert(session).assignee_id == pager.people["ann"]
    make(Accepts()).sweep()
    with pager.database.read() as session:
        assert pager.alert(session).assignee_id == pager.people["bob"]


def test_a_route_that_cannot_be_swept_stops_nobody(
    pager: Pager, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance.auto_resolve, "due_route_ids", lambda *_: [pager.route_id])
    monkeypatch.setattr(maintenance.auto_resolve, "resolve_stale", lambda *_: 1 / 0)
    assert make(Accepts()).sweep()
    assert states(pager) == {"sent"}


def test_a_lease_follows_the_time_limit_of_its_channel(
    database: Database, settings: Settings, clock: Clock
) -> None:
    server = SMTPServer("mail.example", sender="pager@relay.example", total_deadline=30)
    channels = default_registry(HTTPClient(total_deadline=10), server)
    links = LinkMaker("http://localhost", b"a" * 32)
    context = WorkerContext(settings, database, channels, VAULT, links, clock, lambda: 0.5)
    seconds = {name: context.lease_length(name).total_seconds() for name in channels.names()}
    over_http = {"discord", "mattermost", "ntfy", "slack", "teams", "webhook"}
    # Telegram may need a second request for the same message.
    expected = {"email": 45, "inbox": 15, "telegram": 35}
    assert seconds == dict.fromkeys(over_http, 25) | expected
    assert context.lease_length("gone") == context.longest_lease


def test_delivering_twice_sends_once(pager: Pager, make: Make) -> None:
    channel = Accepts()
    runner = make(channel)
    notification_id = pager.due()[0]
    assert runner.run_hint("deliver", notification_id)
    assert not runner.run_hint("deliver", notification_id)
    assert len(channel.envelopes) == 1


def test_waking_early_does_nothing(pager: Pager, make: Make, clock: Clock) -> None:
    runner = make(Accepts())
    assert not runner.run_hint("wake", 1)
    clock.now += MINUTE
    assert runner.run_hint("wake", 1)


def test_tidying_runs(pager: Pager, make: Make) -> None:
    make(Accepts()).run_job("maintenance")
    assert states(pager) == {"pending"}


def in_five_minutes(pager: Pager) -> None:
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        window = {"starts_at": NOW + 5 * MINUTE, "ends_at": NOW + 15 * MINUTE}
        factories.silence(session, team, matchers=["alertname=disk"], **window)


def quiet_until(pager: Pager) -> datetime | None:
    with pager.database.read() as session:
        return pager.alert(session).quiet_until


def test_a_sweep_begins_silences_before_anybody_is_paged(
    pager: Pager, make: Make, clock: Clock
) -> None:
    in_five_minutes(pager)
    channel = Accepts()
    runner = make(channel)
    clock.now += 5 * MINUTE
    runner.sweep()
    assert channel.envelopes == []
    assert quiet_until(pager) == NOW + 15 * MINUTE
    clock.now += 10 * MINUTE
    runner.sweep()
    assert len(channel.envelopes) == 3


def test_a_wake_up_begins_the_silences_of_a_team(pager: Pager, make: Make, clock: Clock) -> None:
    in_five_minutes(pager)
    clock.now += 5 * MINUTE
    assert make(Accepts()).run_hint("silences", pager.team_id) == 1
    assert quiet_until(pager) == NOW + 15 * MINUTE


def test_silences_that_cannot_be_changed_over_stop_nothing_else(
    pager: Pager, make: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_five_minutes(pager)

    def broken(*_args: Any) -> int:
        raise RuntimeError("no")

    monkeypatch.setattr(silence_transitions, "apply_transitions", broken)
    channel = Accepts()
    runner = make(channel)
    assert runner.sweep()
    clock.now += 20 * MINUTE
    assert runner.sweep()
    assert len(channel.envelopes) > 0


def test_a_part_that_fails_stops_no_other_and_nobody_calls_it_healthy(
    pager: Pager, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep that cannot end silences still pages, but records no heartbeat."""

    def breaks(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a bug")

    monkeypatch.setattr(silence_transitions, "due_team_ids", breaks)
    assert not make(Accepts()).sweep()
    assert states(pager) == {"sent"}
    with pager.database.read() as session:
        assert heartbeats.last_heartbeat(session, heartbeats.WORKER) is None


def test_what_is_no_page_never_makes_the_worker_look_dead(
    pager: Pager, make: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a bug")

    monkeypatch.setattr(shift_reminders, "send_due_reminders", breaks)
    assert make(Accepts()).sweep()
    with pager.database.read() as session:
        assert heartbeats.last_heartbeat(session, heartbeats.WORKER) == clock.now


@pytest.mark.parametrize("count", [1, 7])
def test_a_sweep_goes_round_until_no_batch_is_full(
    pager: Pager, make: Make, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(deliveries, "BATCH", 2)
    for number in range(count):
        pager.take(a_signal(f"disk {number}"))
    channel = Accepts()
    assert make(channel).sweep()
    assert states(pager) == {"sent"}


def test_a_sweep_ends_although_rows_stay_due(
    pager: Pager, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full batches that change nothing do not repeat the sweep."""
    monkeypatch.setattr(deliveries, "BATCH", 1)
    monkeypatch.setattr(claims, "claim_notification", lambda *_, **__: None)
    asked: list[int] = []
    due = outbox_records.due_notification_ids
    monkeypatch.setattr(
        outbox_records,
        "due_notification_ids",
        lambda *args, **limit: asked.append(1) or due(*args, **limit),
    )
    assert make(Accepts()).sweep()
    assert len(asked) == 1


def test_plans_beyond_one_batch_run_in_one_sweep(
    pager: Pager, make: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        pager.take(a_signal(f"cpu {number}"))
    runner = make(Accepts())
    runner.sweep()
    monkeypatch.setattr(escalations, "BATCH", 2)
    clock.now += MINUTE
    assert runner.sweep()
    with pager.database.read() as session:
        reminded = session.scalars(
            select(Notification.alert_id).where(Notification.kind == "reminder").distinct()
        ).all()
    assert len(reminded) == 6


def test_alerts_that_cannot_be_escalated_block_none_behind_them(
    pager: Pager, make: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pager.take(a_signal("cpu"))
    runner = make(Accepts())
    runner.sweep()
    run_plan = escalation_runner.run_plan

    def poisoned(subject: Any, *rest: Any) -> Any:
        if subject.id == 1:
            raise RuntimeError("poison")
        return run_plan(subject, *rest)

    monkeypatch.setattr(escalation_runner, "run_plan", poisoned)
    monkeypatch.setattr(escalations, "BATCH", 1)
    clock.now += MINUTE
    runner.sweep()
    with pager.database.read() as session:
        reminded = session.scalars(
            select(Notification.alert_id).where(Notification.kind == "reminder").distinct()
        ).all()
    assert list(reminded) == [2]


def test_every_hint_of_the_services_names_a_job() -> None:
    package = Path(incidentrelay.__file__).parent
    used = {
        name
        for path in package.rglob("*.py")
        for name in re.findall(r'Hint\(\s*"([\w-]+)"', path.read_text(encoding="utf-8"))
    }
    unknown = used - set(HINTS) - {"sweep"}
    assert not unknown, f"add {unknown} to JOBS in incidentrelay/tasks/jobs.py"


def test_every_job_is_listed() -> None:
    """A function of the context alone does what is due, so it is a job."""
    listed = {job.run for job in JOBS}
    for module in pkgutil.iter_modules(tasks.__path__, f"{tasks.__name__}."):
        for name, function in inspect.getmembers(importlib.import_module(module.name)):
            if not inspect.isfunction(function) or function.__module__ != module.name:
                continue
            parameters = list(inspect.signature(function).parameters)
            if not name.startswith("_") and parameters == ["context"]:
                assert function in listed, f"{name}: add it to JOBS in incidentrelay/tasks/jobs.py"


def test_every_job_is_documented() -> None:
    page = Path(incidentrelay.__file__).parents[1] / "docs/administration/operations.md"
    rows = page.read_text(encoding="utf-8")
    for job in JOBS:
        assert f"| `{job.name}` |" in rows, (
            f"{job.name}: add it to docs/administration/operations.md"
        )
