"""Real processes: web and worker of an installation."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from incidentrelay.cli.main import main
from tests.e2e.sinks import eventually

ROOT = Path(__file__).resolve().parents[2]
INI = """\
[app:main]
use = egg:incidentrelay#main
incidentrelay.public_url = http://127.0.0.1:{port}
incidentrelay.secret_key = e2e-0123456789-abcdefghijklmnopqrstuvwxyz
incidentrelay.smtp.host = 127.0.0.1
incidentrelay.smtp.port = {smtp_port}
incidentrelay.smtp.security = none
incidentrelay.smtp.sender = IncidentRelay <pager@relay.example>
incidentrelay.outbound_allowed_networks = 127.0.0.0/8
incidentrelay.reminder_interval_minimum = 1
incidentrelay.delivery.lease = {lease}
incidentrelay.worker.sweep_interval = {sweep}
incidentrelay.outbound_timeout = {timeout}
incidentrelay.log.format = text

[server:main]
use = egg:waitress#main
listen = 127.0.0.1:{port}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Stack:
    """One installation. ``database`` and ``queue`` are URLs, given by the environment.

    Its processes are called by their command, or where there are several of one
    command, ``worker-1``, ``worker-2`` and so on.
    """

    # The module that runs the commands of the processes.
    program = "incidentrelay.cli.main"

    def __init__(
        self,
        folder: Path,
        database: str,
        queue: str,
        *,
        smtp_port: int,
        lease: int = 30,
        sweep: int = 60,
        timeout: int = 5,
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ini = folder / "relay.ini"
        self.ini.write_text(
            INI.format(
                port=self.port, smtp_port=smtp_port, lease=lease, sweep=sweep, timeout=timeout
            )
        )
        self.environ = {
            **{k: v for k, v in os.environ.items() if not k.startswith("INCIDENTRELAY_")},
            "INCIDENTRELAY_SQLALCHEMY_URL": database,
            "INCIDENTRELAY_HUEY_URL": queue,
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.token: str | None = None

    def run(self, *words: str) -> str:
        """Run a command to its end; its standard output.

        In this process: most of a short command's time is loading the program.
        """
        result = CliRunner().invoke(main, [*words, "-c", str(self.ini)], env=self.environ)
        assert result.exit_code == 0, result.output
        return result.stdout

    def prepare(self) -> None:
        """Migrate, and make an admin's token with demo data."""
        self.run("migrate")
        self.token = json.loads(self.run("demo-data", "--json").splitlines()[0])["api_token"]

    def start(self, *names: str) -> None:
        for name in names or ("serve", "worker"):
            self.spawn(name)
        if "serve" in self.processes:
            eventually(self._answers, 30, "the web process answers")

    def spawn(self, name: str) -> None:
        """Start one process and do not wait for it."""
        command = name.partition("-")[0]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", self.program, command, "-c", str(self.ini_of(name))],
                cwd=ROOT,
                env=self.environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def ini_of(self, _name: str) -> Path:
        """The configuration of one process."""
        return self.ini

    def _answers(self) -> bool:
        assert self.processes["serve"].poll() is None, self.log("serve")
        try:
            return self.api("GET", "/healthz", raw=True)[0] == 200
        except OSError:
            return False

    def kill(self, *names: str) -> None:
        """kill -9, like a loss of power."""
        for name in names or tuple(self.processes):
            process = self.processes.pop(name)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)
        self.processes.clear()

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def api(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        raw: bool = False,
    ) -> tuple[int, Any]:
        """(status, decoded body); any answer is returned, none is raised."""
        headers = {"Content-Type": "application/json"}
        credential = token or self.token
        if credential:
            headers["Authorization"] = f"Bearer {credential}"
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(
            path if path.startswith("http") else self.url + path,
            data=data,
            headers=headers,
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                status, text = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        return status, text if raw else json.loads(text or b"null")

    def make(self, path: str, **body: Any) -> Any:
        status, made = self.api("POST", f"/api{path}", body)
        assert status == 201, made
        return made

    def timeline(self, alert_id: int) -> list[dict[str, Any]]:
        status, page = self.api("GET", f"/api/alerts/{alert_id}/events?limit=100")
        assert status == 200, page
        return list(page["items"])
