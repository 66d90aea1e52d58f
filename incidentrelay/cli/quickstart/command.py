"""``quickstart``: a whole installation in one folder, with one command."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from incidentrelay.cli import demo
from incidentrelay.cli.config import read_settings
from incidentrelay.cli.errors import CommandFailed
from incidentrelay.cli.quickstart import folder
from incidentrelay.cli.quickstart.children import Children
from incidentrelay.cli.quickstart.readiness import Address

if TYPE_CHECKING:
    from incidentrelay.services.operations.demo import DemoResult
    from incidentrelay.settings.declaration import Settings

READY_SECONDS = 60
POLL_SECONDS = 0.1


@click.command()
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    show_default=True,
    help="The folder for all data.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8080,
    show_default=True,
    help="The port to listen on.",
)
@click.option("--public-url", help="Where browsers reach it, if that is another address.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON when it is ready.")
def quickstart(data: Path, host: str, port: int, public_url: str | None, as_json: bool) -> None:
    """Run everything at once, with SQLite: web server, worker and demo data.

    The first start creates the folder, a secret key, the database and demo data, and
    prints the password and the tokens once. Ctrl-C stops it.

    Example: incidentrelay quickstart --data ./data --port 8080
    """
    from incidentrelay import log_setup

    address = Address(host, port)
    address.refuse_if_taken()
    config = folder.prepare(data, address, public_url or address.url)
    settings = read_settings(config)
    log_setup.configure(settings)
    demo_data = _prepare_database(settings)
    stopping = _note_signals()
    with Children() as children:
        for name, command in (("web server", "serve"), ("worker", "worker")):
            children.start(name, [command, "-c", str(config)], os.environ)
        _wait_until_ready(address, children, stopping)
        if not stopping:
            report = _report(settings, demo_data)
            click.echo(json.dumps(report) if as_json else _page(address, config, report))
        while not stopping:
            _refuse_death(children)
            time.sleep(POLL_SECONDS)


def _prepare_database(settings: "Settings") -> "DemoResult | None":
    """Migrate, and create demo data if there are no users yet."""
    from incidentrelay import migrations
    from incidentrelay.db import Database

    database = Database.of(settings)
    try:
        migrations.upgrade(database)
        return demo.make_demo(settings, database) if demo.nobody_yet(database) else None
    finally:
        database.dispose()


def _note_signals() -> list[int]:
    """A list that is empty until SIGINT or SIGTERM arrives.

    The handlers only note it: an exception raised at the wrong moment could leave a child
    behind. A second signal has no effect; the children's time is short.
    """
    received: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: received.append(number))
    return received


def _wait_until_ready(address: Address, children: Children, stopping: list[int]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not stopping:
        _refuse_death(children)
        trouble = address.trouble()
        if trouble is None:
            return
        if time.monotonic() > deadline:
            raise CommandFailed(f"It was not ready after {READY_SECONDS} seconds: {trouble}")
        time.sleep(POLL_SECONDS)


def _refuse_death(children: Children) -> None:
    dead_child = children.find_dead()
    if dead_child is not None:
        name, code = dead_child
        raise CommandFailed(f"The {name} has ended with exit code {code}, so everything stops.")


def _report(settings: "Settings", demo_data: "DemoResult | None") -> dict[str, Any]:
    """What ``--json`` prints; after the first start every secret in it is null."""
    content = demo_data.to_json() if demo_data is not None else _known(settings)
    return {"url": settings.public_url, **content}


def _known(settings: "Settings") -> dict[str, Any]:
    from sqlalchemy import select

    from incidentrelay.db import Database
    from incidentrelay.models import Group, Route, Team, User

    admins = select(User.username).where(User.is_admin, User.active).order_by(User.id)
    routes = select(
        Route.slug.label("name"), Route.source, Group.slug.label("group"), Team.slug.label("team")
    )
    routes = routes.join(Team, Team.id == Route.team_id).join(Group, Group.id == Team.group_id)
    database = Database.of(settings)
    try:
        with database.read() as session:
            rows = session.execute(routes.order_by(Route.id)).mappings()
            return {
                "admin": {"username": session.scalar(admins.limit(1)), "password": None},
                "api_token": None,
                "routes": [{**row, "token": None} for row in rows],
            }
    finally:
        database.dispose()


def _page(address: Address, config: Path, report: dict[str, Any]) -> str:
    """The report for people."""
    admin = report["admin"]
    top = [f"IncidentRelay is ready at {report['url']}", ""]
    if admin["password"] is None:
        renew = f"{_program()} set-password -c {config} --username {admin['username']}"
        top += [
            f"User name: {admin['username']}",
            "The password and the tokens were shown at the first start.",
            f"A new password: {renew}",
        ]
        return "\n".join([*top, "", "Stop it with Ctrl-C."])
    top += [f"User name: {admin['username']}", f"Password:  {admin['password']}"]
    top += [f"API token: {report['api_token']}", "", "Route tokens:"]
    top += [f"  {route['source']:<13} {route['token']}" for route in report["routes"]]
    sample = _curl(address, report["routes"])
    if sample:
        top += ["", "Send a first alert:", sample]
    return "\n".join([*top, "", "Stop it with Ctrl-C."])


def _program() -> str:
    """How this program was called, so that the printed commands can be copied."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "incidentrelay" else "incidentrelay"


def _curl(address: Address, routes: list[dict[str, Any]]) -> str | None:
    """A command that sends an alert as Alertmanager would."""
    token = next((r["token"] for r in routes if r["source"] == "alertmanager"), None)
    if token is None:
        return None
    alert = {
        "status": "firing",
        "labels": {"alertname": "DiskFull", "severity": "critical", "instance": "host1"},
        "annotations": {"summary": "Disk is full", "description": "/var is 95% full"},
    }
    body = json.dumps({"status": "firing", "alerts": [alert]})
    return (
        f"curl -sS -X POST {address.url}/api/integrations/alertmanager"
        f" -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' -d '{body}'"
    )
