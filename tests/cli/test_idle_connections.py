"""Idle connections of browsers and scanners do not block alerts."""

import http.client
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from waitress import create_server

from incidentrelay.cli.config import ini_loader
from incidentrelay.cli.quickstart import folder
from incidentrelay.cli.quickstart.readiness import Address

ROOT = Path(__file__).resolve().parents[2]
IDLE = 150


def quickstart_ini(tmp_path: Path) -> Path:
    return folder.prepare(tmp_path / "data", Address("127.0.0.1", 8080), "http://localhost")


@pytest.fixture(params=["quickstart", "development.ini", "production.ini"])
def options(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """[server:main] of an ini file that comes with the program."""
    path = quickstart_ini(tmp_path) if request.param == "quickstart" else ROOT / request.param
    section = dict(ini_loader(path).get_settings("server:main"))
    return {name: value for name, value in section.items() if name not in ("use", "listen")}


@contextmanager
def serving(app: Any, options: dict[str, Any]) -> Iterator[int]:
    """The port of a server in a thread."""
    sockets: dict[int, Any] = {}
    server = create_server(app, map=sockets, host="127.0.0.1", port=0, **options)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield int(server.effective_port)
    finally:
        # The loop ends when it has nothing left to watch.
        server.trigger.pull_trigger(lambda: [s.close() for s in list(sockets.values())])
        thread.join(10)
        server.task_dispatcher.shutdown()
        assert not thread.is_alive()


def test_an_alert_is_answered_beside_idle_connections(
    app: Any, cast: Any, options: dict[str, Any]
) -> None:
    with serving(app, options) as port, ExitStack() as idle:
        for _ in range(IDLE):
            idle.enter_context(socket.create_connection(("127.0.0.1", port)))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        headers = {
            "Authorization": f"Bearer {cast.teams['core'].token}",
            "Content-Type": "application/json",
        }
        body = json.dumps({"title": "Disk is full"})
        connection.request("POST", "/api/integrations/webhook", body, headers)
        answer = connection.getresponse()
        assert (answer.status, json.load(answer)[0]["outcome"]) == (200, "created")
        connection.close()


def test_idle_connections_are_closed_soon(options: dict[str, Any]) -> None:
    assert int(options["channel_timeout"]) + int(options["cleanup_interval"]) <= 30


def test_nginx_keeps_connections_for_alerts() -> None:
    text = (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8")
    budgets = [int(number) for number in re.findall(r"max_conns=(\d+)", text)]
    options = ini_loader(ROOT / "production.ini").get_settings("server:main")
    assert sum(budgets) < int(options["connection_limit"])
    intake = re.search(r"location /api/integrations/ \{(.*?)\}", text, re.DOTALL)
    assert intake
    assert "proxy_pass http://incidentrelay_intake;" in intake[1]
    assert "limit_conn" not in intake[1]
