"""Real Prometheus and Alertmanagers, in front of an installation."""

import json
import re
import signal
import subprocess
import threading
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.e2e.sinks import eventually
from tests.e2e.stack import ROOT, free_port

ALERTMANAGER = "/usr/bin/prometheus-alertmanager"
PROMETHEUS = "/usr/bin/prometheus"
DOCS = ROOT / "docs" / "integrations" / "alertmanager.md"
# As fast as they can be: an alert that Prometheus does not repeat ends after four seconds.
_PROMETHEUS = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [{folder}/rules.yml]
alerting:
  alertmanagers:
    - timeout: 1s
      static_configs: [{{targets: [{managers}]}}]
scrape_configs:
  - job_name: shop
    static_configs: [{{targets: ["{target}"]}}]
"""
_RULES = """\
groups:
  - name: shop
    rules:
      - alert: TargetDown
        expr: up == 0
        labels: {severity: critical}
        annotations: {summary: "{{ $labels.instance }} is down"}
"""


class Daemon:
    """A process of another product, which can be held and continued."""

    def __init__(self, folder: Path, name: str, command: Sequence[str], port: int) -> None:
        self.port = port
        with (folder / f"{name}.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        eventually(self._ready, 30, f"{name} is ready")

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5):
                return True
        except OSError:
            return False

    def hold(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self.go_on()
        self.process.terminate()
        self.process.wait(20)


class Target:
    """What Prometheus scrapes: it is up or down."""

    def __init__(self) -> None:
        self.up = threading.Event()
        up = self.up

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200 if up.is_set() else 500)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def documented_config(folder: Path, intake_url: str, changes: Mapping[str, str]) -> Path:
    """The configuration that our documentation shows, with these ``changes``."""
    shown = re.search(r"```yaml\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert shown is not None
    config = shown[1]
    ours = {"url": intake_url, "credentials_file": f"{folder}/token", **changes}
    for name, value in ours.items():
        config, count = re.subn(rf"\b{name}: \S+", f"{name}: {value}", config)
        assert count == 1, name
    file = folder / "alertmanager.yml"
    file.write_text(config)
    return file


class Alertmanager(Daemon):
    """Debian's Alertmanager, alone or in a cluster with ``peers``.

    It repeats as the documentation shows, or each ``repeat_interval``.
    """

    def __init__(
        self,
        folder: Path,
        intake_url: str,
        token: str,
        *,
        peers: Sequence["Alertmanager"] = (),
        repeat_interval: str = "30m",
    ) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "token").write_text(token)
        intervals = {"group_wait": "10ms", "group_interval": "1s"}
        config = documented_config(
            folder, intake_url, intervals | {"repeat_interval": repeat_interval}
        )
        port = free_port()
        self.cluster = f"127.0.0.1:{free_port()}"
        command = [
            ALERTMANAGER,
            f"--config.file={config}",
            f"--storage.path={folder}/alertmanager",
            f"--web.listen-address=127.0.0.1:{port}",
            f"--cluster.listen-address={self.cluster}",
            f"--cluster.advertise-address={self.cluster}",
            "--cluster.settle-timeout=1s",
            "--cluster.peer-timeout=1s",
            *(f"--cluster.peer={peer.cluster}" for peer in peers),
        ]
        super().__init__(folder, "alertmanager", command, port)

    def alerts(self) -> Any:
        """What fires, as it knows."""
        url = f"http://127.0.0.1:{self.port}/api/v2/alerts"
        with urllib.request.urlopen(url, timeout=10) as response:
            return json.load(response)

    def send(self, labels: dict[str, str], *, resolved: bool = False) -> None:
        """What Prometheus would send it."""
        now = datetime.now(UTC)
        ends = now - timedelta(seconds=1) if resolved else now + timedelta(hours=1)
        alert = {
            "labels": labels,
            "annotations": {"summary": f"{labels['alertname']} on {labels.get('instance', '?')}"},
            "startsAt": (now - timedelta(minutes=1)).isoformat(),
            "endsAt": ends.isoformat(),
        }
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v2/alerts",
            data=json.dumps([alert]).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            assert response.status == 200


class Prometheus(Daemon):
    """Debian's Prometheus: one target, and an alert while that is down."""

    def __init__(self, folder: Path, target: Target, managers: Sequence[Alertmanager]) -> None:
        addresses = ", ".join(f'"127.0.0.1:{manager.port}"' for manager in managers)
        (folder / "rules.yml").write_text(_RULES)
        (folder / "prometheus.yml").write_text(
            _PROMETHEUS.format(folder=folder, managers=addresses, target=target.address)
        )
        port = free_port()
        command = [
            PROMETHEUS,
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/prometheus",
            f"--web.listen-address=127.0.0.1:{port}",
            "--rules.alert.resend-delay=1s",
        ]
        super().__init__(folder, "prometheus", command, port)
