"""A whole console on a free port, with a small company's night in its database."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from waitress import wasyncore
from waitress.server import create_server

from incidentrelay import make_app, runtime
from incidentrelay.db import Database
from incidentrelay.domain.actors import SYSTEM, Actor
from incidentrelay.domain.delivery.circuit_breaker import Circuit
from incidentrelay.domain.enums import DeliveryState, Severity, SignalStatus
from incidentrelay.domain.intake.signals import IncomingSignal
from incidentrelay.models import Alert, Notification, Route, Team, User
from incidentrelay.runtime import Runtime
from incidentrelay.services.access import action_links
from incidentrelay.services.alerts import actions as alert_actions
from incidentrelay.services.channels import providers
from incidentrelay.services.common import heartbeats
from incidentrelay.services.escalation import runner as escalation_runner
from incidentrelay.services.intake import receive as intake_receive
from incidentrelay.services.intake.receive import IntakeRequestBody
from incidentrelay.services.operations import demo
from incidentrelay.services.silences import silences
from incidentrelay.services.tenancy import users
from incidentrelay.settings.declaration import Settings
from tests.support import factories

USERNAME, PASSWORD = "admin", "a long night at the desk"
MINUTE = timedelta(minutes=1)
TEAM = "/groups/demo/teams/infrastructure"
ROTATIONS = f"{TEAM}/rotations"
YEAR = "from=2026-01-01&to=2026-12-31"
NIGHTLY = {
    "rule": "FREQ=DAILY",
    "zone": "Europe/Paris",
    "starts_on": "2026-11-01",
    "start_time": "02:00",
    "duration": 7200,
}

# (severity, title, minutes ago, labels)
NIGHT: tuple[tuple[Severity, str, int, dict[str, str]], ...] = (
    (Severity.INFO, "Node pool was resized", 900, {"alertname": "Resized"}),
    (Severity.LOW, "Backup took 3 h 20 min", 400, {"alertname": "SlowBackup"}),
    (
        Severity.WARNING,
        "Replica db-02 lags by 40 s",
        95,
        {"alertname": "ReplicaLag", "instance": "db-02"},
    ),
    (
        Severity.MEDIUM,
        "Certificate of shop.example.net expires in 6 days",
        64,
        {"alertname": "CertExpiry"},
    ),
    (
        Severity.HIGH,
        "p99 latency of checkout above 2 s",
        31,
        {"alertname": "Latency", "service": "checkout"},
    ),
    (
        Severity.CRITICAL,
        "Disk is 95 % full on db-primary-01.eu-west.example.net",
        2,
        {
            "alertname": "DiskFull",
            "instance": "db-primary-01.eu-west.example.net:9100",
            "mountpoint": "/var/lib/postgresql",
        },
    ),
)


@dataclass(frozen=True)
class Site:
    """``disk_id`` is the newest alert, firing. ``act_paths`` are links for the admin by alert.

    ``silence_id`` is in force; the next one comes again each night.
    """

    url: str
    database: Database
    disk_id: int
    latency_id: int
    silence_id: int
    act_paths: Mapping[int, str]


@contextmanager
def running(settings: Settings, database: Database) -> Iterator[Site]:
    """The site, served by waitress in a thread until the end."""
    app: Any = None

    def wsgi(environ: Any, start_response: Any) -> Any:
        return app(environ, start_response)

    server = create_server(wsgi, host="127.0.0.1", port=0, threads=4)
    settings = replace(settings, public_url=f"http://127.0.0.1:{server.effective_port}")
    app = make_app(settings, database=database)
    parts = runtime.build(settings, database=database)
    thread = threading.Thread(target=server.run, daemon=True)
    try:
        site = furnish(parts)
        thread.start()
        yield site
    finally:
        _stop(server, thread)
        parts.close()


def _stop(server: Any, thread: threading.Thread) -> None:
    """Close all sockets in the server's own thread, which may be waiting for them."""
    if not thread.is_alive():
        server.close()
        return
    server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))
    thread.join(timeout=10)
    assert not thread.is_alive(), "the site's server does not stop"
    server.task_dispatcher.shutdown()


def furnish(parts: Runtime) -> Site:
    """Fill the database, which is empty."""
    ids = _fill(parts)
    silence_id = _trouble(parts)
    links = {alert_id: _link(parts, alert_id) for alert_id in ids}
    return Site(parts.settings.public_url, parts.database, ids[-1], ids[-2], silence_id, links)


def visits(site: Site) -> dict[str, str]:
    """What a site admin looks at: a name and its address."""
    return {
        "list": "/alerts?status=",
        "nothing": "/alerts?query=nothing+like+this",
        "alert": f"/alerts/{site.disk_id}",
        "inbox": "/inbox",
        "oncall": "/oncall",
        "calendar": "/calendar",
        "calendar month": "/calendar?view=month&date=2026-03-29&zone=Europe%2FBerlin",
        "rotations": "/rotations",
        "rotation": "/rotations/1",
        "rotation without anybody": "/rotations/2",
        "new rotation": f"{ROTATIONS}/new",
        "rotation editor": f"{ROTATIONS}/primary/edit",
        "new override": f"{ROTATIONS}/primary/overrides/new",
        "cover": f"{ROTATIONS}/primary/cover",
        "swap": f"{ROTATIONS}/primary/swap",
        "delete rotation": f"{ROTATIONS}/primary/delete",
        "import": f"{ROTATIONS}/primary/import",
        "silences": "/silences",
        "silences of a team": f"{TEAM}/silences",
        "silence": f"{TEAM}/silences/{site.silence_id}",
        "silence that comes again": f"{TEAM}/silences/{site.silence_id + 1}",
        "new silence": f"{TEAM}/silences/new",
        "silence for an alert": f"{TEAM}/silences/new?alert={site.disk_id}",
        "silence form": f"{TEAM}/silences/{site.silence_id + 1}/edit",
        "first steps": "/first-steps",
        "routes": "/routes",
        "routes of a team": f"{TEAM}/routes",
        "new route": f"{TEAM}/routes/new",
        "route": f"{TEAM}/routes/alertmanager",
        "route without sender": f"{TEAM}/routes/zabbix",
        "route editor": f"{TEAM}/routes/alertmanager/edit",
        "route token": f"{TEAM}/routes/alertmanager/token",
        "route test": f"{TEAM}/routes/alertmanager/test",
        "delete route": f"{TEAM}/routes/alertmanager/delete",
        "channels": "/channels",
        "channels of a team": f"{TEAM}/channels",
        "new channel": f"{TEAM}/channels/new",
        "new webhook": f"{TEAM}/channels/new?kind=webhook",
        "channel": f"{TEAM}/channels/team-inbox",
        "channel editor": f"{TEAM}/channels/team-inbox/edit",
        "delete channel": f"{TEAM}/channels/team-inbox/delete",
        "failed notifications": "/notifications",
        "all failed notifications": "/notifications?show=all",
        "report": "/reports/on-call",
        "report with holidays": f"/reports/on-call?{YEAR}&country=DE&subdivision=BY&zone=UTC",
        "groups": "/groups",
        "group": "/groups/demo",
        "new group": "/groups/new",
        "group editor": "/groups/demo/edit",
        "delete group": "/groups/demo/delete",
        "new team": "/groups/demo/teams/new",
        "team": TEAM,
        "team editor": f"{TEAM}/edit",
        "delete team": f"{TEAM}/delete",
        "new member": "/groups/demo/members/new",
        "role of a member": "/groups/demo/members/anna/edit",
        "remove member": "/groups/demo/members/anna/delete",
        "new role in a team": f"{TEAM}/members/new",
        "users": "/users",
        "user": "/users/anna",
        "new user": "/users/new",
        "user editor": "/users/anna/edit",
        "password of a user": "/users/anna/password",
        "deactivate user": "/users/anna/deactivate",
        "me": "/me",
        "me subscribing": "/me?feed=user",
        "act": site.act_paths[site.disk_id],
    }


def _link(parts: Runtime, alert_id: int) -> str:
    with parts.database.read() as session:
        user_id = session.scalar(select(User.id).where(User.username == USERNAME))
    assert user_id is not None
    return f"/act/{action_links.sign_act(parts.links.act_key, alert_id, user_id, parts.clock())}"


def _fill(parts: Runtime) -> list[int]:
    now = parts.clock()
    with parts.database.write() as session:
        demo.create_demo(
            session,
            now=now - timedelta(days=40),
            registry=parts.channels,
            vault=parts.vault,
            integrations=parts.integrations,
            admin_password=PASSWORD,
        )
        heartbeats.record_heartbeat(session, heartbeats.WORKER, now)
        admin = session.scalars(select(User).where(User.username == USERNAME)).one()
        profile = {"display_name": "Alex Admin", "phone": "+33612345678", "zone": "Europe/Paris"}
        users.update(session, admin, profile, actor=SYSTEM, now=now - timedelta(days=30))
    with parts.database.write() as session:
        ids = [_alert(session, now, *entry) for entry in NIGHT]
        _react(session, ids, now)
        _uncovered_rotation(session)
        escalation_runner.run_due_plans(session, now)
    parts.runner.sweep()
    return ids


def _trouble(parts: Runtime) -> int:
    """What is silenced, what could not be delivered, and a provider that does not work."""
    now = parts.clock()
    with parts.database.write() as session:
        team = session.scalars(select(Team).where(Team.slug == "infrastructure")).one()
        once, again = (
            silences.create(session, team, body, actor=SYSTEM, now=now)
            for body in (
                {"matchers": ["alertname=Resized"], "ends_at": now + 60 * MINUTE},
                {"matchers": ["job=backup"], "recurrence": NIGHTLY, "reason": "Backups"},
            )
        )
        session.flush()
        failed = session.scalars(select(Notification).order_by(Notification.id)).first()
        assert failed is not None
        failed.state, failed.next_at, failed.finished_at = DeliveryState.FAILED, None, now
        failed.attempts, failed.last_error = 12, "The mailbox anna@example.com is full"
        provider = providers.lock_providers(session, "email")
        providers.save_circuit(provider, Circuit(9, now - 20 * MINUTE, None, "No answer"))
        assert again.id == once.id + 1
        return once.id


def _alert(
    session: Any,
    now: datetime,
    severity: Severity,
    title: str,
    minutes: int,
    labels: dict[str, str],
) -> int:
    at = now - minutes * MINUTE
    route_id = session.scalar(select(Route.id).where(Route.source == "alertmanager"))
    signal = IncomingSignal(
        dedup_key=title,
        status=SignalStatus.FIRING,
        severity=severity,
        title=title,
        description="Only 2.1 GB are left.\nAt this rate it is full in an hour.",
        labels=labels,
        annotations={
            "summary": "Something runs out soon",
            "runbook_url": "https://wiki.example.net/runbooks/disk-full",
        },
        link="https://prometheus.example.net/graph?g0.expr=node_filesystem_avail_bytes",
    )
    route = intake_receive.lock_route(session, route_id, at)
    raw = IntakeRequestBody(b"{}", False, "127.0.0.1")
    (verdict,) = intake_receive.receive_request(session, route, [signal], raw, at)
    assert verdict.id is not None
    return verdict.id


def _react(session: Any, ids: list[int], now: datetime) -> None:
    anna = session.scalars(select(User).where(User.username == "anna")).one()
    actor = Actor(name="anna", via="console", user_id=anna.id)
    found = {alert.id: alert for alert in session.scalars(select(Alert).where(Alert.id.in_(ids)))}
    alert_actions.resolve(session, found[ids[0]], actor=actor, now=now - 800 * MINUTE)
    alert_actions.acknowledge(session, found[ids[1]], actor=actor, now=now - 380 * MINUTE)
    alert_actions.snooze(
        session, found[ids[2]], now + 120 * MINUTE, actor=actor, now=now - 90 * MINUTE
    )
    alert_actions.acknowledge(session, found[ids[3]], actor=actor, now=now - 60 * MINUTE)
    admin = session.scalars(select(User).where(User.username == USERNAME)).one()
    alert_actions.assign(session, found[ids[-2]], admin, actor=actor, now=now - 20 * MINUTE)
    text = "The write-ahead log is stuck; I look at the archive."
    alert_actions.comment(session, found[ids[-1]], text, actor=actor, now=now - MINUTE)


def _uncovered_rotation(session: Any) -> None:
    """A rotation without anybody, to which a route goes."""
    route = session.scalars(select(Route).where(Route.source == "webhook")).one()
    team = session.get_one(Team, route.team_id)
    route.rotation_id = factories.rotation(session, team, "database", name="Database").id
