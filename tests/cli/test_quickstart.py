"""``quickstart`` as real processes: its output, its folder, and how it ends."""

import json
import os
import re
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from incidentrelay.cli.quickstart.readiness import Address

pytestmark = pytest.mark.e2e

READY_SECONDS = 60
STOP_SECONDS = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Quickstart:
    """A running quickstart on a folder; what it logs goes to a file in ``logs``."""

    def __init__(self, logs: Path, data: Path, *options: str) -> None:
        self.port = free_port()
        self.log = logs / f"{self.port}.log"
        command = [sys.executable, "-m", "incidentrelay.cli.main", "quickstart"]
        command += ["--data", str(data), "--port", str(self.port), *options]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=Path.cwd()
            )
        self.url = f"http://127.0.0.1:{self.port}"

    def report(self) -> dict[str, Any]:
        """The first line that ``--json`` prints."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log.read_text(encoding="utf-8")
        report: dict[str, Any] = json.loads(line)
        return report

    def page(self) -> str:
        """The report for people, up to its last line."""
        assert self.process.stdout is not None
        lines: list[str] = []
        for line in self.process.stdout:
            lines.append(line)
            if line.startswith("Stop it"):
                break
        return "".join(lines)

    def children(self) -> list[int]:
        """Process descriptors of the children; each can be waited for with ``select``."""
        pid = self.process.pid
        ids = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        assert len(ids) == 2
        return [os.pidfd_open(int(child)) for child in ids]

    def end(self, number: int) -> int:
        """Send a signal and return the exit code; all children must end too."""
        children = self.children()
        self.process.send_signal(number)
        code = self.process.wait(STOP_SECONDS)
        for child in children:
            ended, _, _ = select.select([child], [], [], STOP_SECONDS)
            os.close(child)
            assert ended, "a child lives on"
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    """``start(folder, "--json")``: a quickstart that ends with the test at the latest."""
    running: list[Quickstart] = []

    def begin(data: Path, *options: str) -> Quickstart:
        running.append(Quickstart(tmp_path, data, *options))
        return running[-1]

    yield begin
    for quickstart in running:
        quickstart.close()


def get(url: str, token: str) -> tuple[int, Any]:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, None


def test_the_first_start_makes_everything_and_the_second_shows_no_secret(
    start: Any, tmp_path: Path
) -> None:
    data = tmp_path / "new" / "data"
    first = start(data, "--json")
    report = first.report()
    assert report["url"] == first.url
    assert report["admin"]["username"] == "admin"
    assert len(report["admin"]["password"]) >= 12
    assert {"name", "source", "group", "team", "token"} == set(report["routes"][0])
    assert get(f"{first.url}/api/me", report["api_token"])[1]["username"] == "admin"
    assert get(f"{first.url}/readyz", "")[0] == 200
    key = data / "secret_key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    kept = key.read_text(encoding="ascii")
    assert first.end(signal.SIGTERM) == 0

    second = start(data, "--json")
    again = second.report()
    assert again["admin"] == {"username": "admin", "password": None}
    assert again["api_token"] is None
    assert [route | {"token": None} for route in report["routes"]] == again["routes"]
    assert key.read_text(encoding="ascii") == kept
    assert get(f"{second.url}/api/me", report["api_token"])[0] == 200
    assert second.end(signal.SIGINT) == 0


@pytest.mark.skipif(shutil.which("curl") is None, reason="There is no curl.")
def test_the_printed_command_line_works_as_it_stands(start: Any, tmp_path: Path) -> None:
    quickstart = start(tmp_path / "data")
    page = quickstart.page()
    for part in (quickstart.url, "User name: admin", "Password:  ", "API token: ir_u_"):
        assert part in page
    (line,) = re.findall(r"^curl .*$", page, re.MULTILINE)
    sent = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
    (item,) = json.loads(sent.stdout)
    assert item["outcome"] == "created"
    assert item["assignee"] is not None
    assert quickstart.end(signal.SIGTERM) == 0


def test_a_kill_takes_the_children_along(start: Any, tmp_path: Path) -> None:
    quickstart = start(tmp_path / "data", "--json")
    quickstart.report()
    assert quickstart.end(signal.SIGKILL) == -signal.SIGKILL


def test_it_ends_with_a_child_that_dies(start: Any, tmp_path: Path) -> None:
    quickstart = start(tmp_path / "data", "--json")
    quickstart.report()
    web, worker = quickstart.children()
    signal.pidfd_send_signal(worker, signal.SIGKILL)
    assert quickstart.process.wait(STOP_SECONDS) == 1
    assert select.select([web], [], [], STOP_SECONDS)[0]
    os.close(web)
    os.close(worker)
    said = quickstart.log.read_text(encoding="utf-8")
    assert "incidentrelay: The worker has ended with exit code -9" in said


def test_a_port_that_is_taken_is_said_before_anything_is_made(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        command = [sys.executable, "-m", "incidentrelay.cli.main", "quickstart"]
        command += ["--data", str(tmp_path / "data"), "--port", port]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}: Address already in use." in result.stderr
    assert f"make run PORT={int(port) + 1}" in result.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("host", "listen", "url"),
    [
        ("127.0.0.1", "127.0.0.1:80", "http://127.0.0.1:80"),
        ("0.0.0.0", "0.0.0.0:80", "http://127.0.0.1:80"),
        ("::", "[::]:80", "http://[::1]:80"),
        ("relay.example", "relay.example:80", "http://relay.example:80"),
    ],
)
def test_addresses(host: str, listen: str, url: str) -> None:
    address = Address(host, 80)
    assert (address.listen, address.url) == (listen, url)
