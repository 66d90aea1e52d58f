"""Starts the processes that are measured, and ends them."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.client import Load, Outcome

START_SECONDS = 30
STOP_SECONDS = 40
IDLE_SECONDS = 60
_TICKS = os.sysconf("SC_CLK_TCK")
INI = """\
[app:main]
use = egg:incidentrelay#main
incidentrelay.public_url = http://127.0.0.1:{port}
incidentrelay.secret_key = benchmark-0123456789-abcdefghijklmnopqrstuvwxyz
incidentrelay.sqlalchemy.url = {database}
incidentrelay.huey.url = {queue}
incidentrelay.outbound_allowed_networks = 127.0.0.0/8
incidentrelay.log.level = warning

[server:main]
use = egg:waitress#main
listen = 127.0.0.1:{port}
threads = 8
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """A Python module that runs until :meth:`stop`, with its output in a file."""

    def __init__(self, log: Path, *words: str) -> None:
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *words], stdout=output, stderr=output
            )

    def wait_for(self, port: int) -> None:
        """Wait until it answers on ``port``."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                get_json(port, "/healthz")
                return
            except OSError:
                self._check(deadline)
                time.sleep(0.05)

    def _check(self, deadline: float) -> None:
        if self._process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"A process did not start:\n{self._log.read_text()}")

    def cpu_seconds(self) -> float:
        """Processor time used so far, by proc_pid_stat(5)."""
        text = Path(f"/proc/{self._process.pid}/stat").read_text()
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def wait_until_idle(self) -> None:
        """Wait until it uses less than a twentieth of one processor."""
        deadline = time.monotonic() + IDLE_SECONDS
        before = self.cpu_seconds()
        while time.monotonic() < deadline:
            time.sleep(1)
            now = self.cpu_seconds()
            if now - before < 0.05:
                return
            before = now

    def memory_mib(self) -> float:
        """Resident memory, by proc_pid_status(5)."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise ValueError("VmRSS is missing")

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def running(log: Path, *words: str, port: int | None = None) -> Iterator[Process]:
    process = Process(log, *words)
    try:
        if port is not None:
            process.wait_for(port)
        yield process
    finally:
        process.stop()


def write_ini(folder: Path, *, port: int, database: str, queue: str) -> Path:
    ini = folder / "bench.ini"
    ini.write_text(INI.format(port=port, database=database, queue=queue))
    return ini


def get_json(port: int, path: str, *, token: str = "", method: str = "GET") -> Any:
    """The decoded body of any answer; None if it is not JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers: Mapping[str, str] = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    try:
        return json.loads(body)
    except ValueError:
        return None


def post_alerts(load: Load) -> Outcome:
    """Run ``load`` in a process of its own, so that it shares no interpreter lock."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.client"],
        input=json.dumps(asdict(load)),
        capture_output=True,
        text=True,
        timeout=load.seconds + 120,
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return Outcome(**json.loads(done.stdout))
