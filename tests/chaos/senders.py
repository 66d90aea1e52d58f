"""Monitoring systems, which send until a request is accepted.

Like Alertmanager, they repeat the same body after a network error or a 5xx, and never after a
2xx. The ledger records the answers.
"""

import http.client
import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

PATIENCE = 10
PAUSE = 0.3


@dataclass
class Told:
    """The answers for one alert, and whether its sender regards it as firing."""

    firing: bool = False
    starts_at: str = ""
    created: int = 0
    ids: set[int] = field(default_factory=set)
    # Seconds since the epoch: when its present firing was first sent.
    since: float = 0.0


class Ledger:
    """All answers; shared by the senders."""

    def __init__(self) -> None:
        self.alerts: dict[str, Told] = {}
        self.refused: list[str] = []
        self.unanswered: list[str] = []
        self.outcomes: Counter[str] = Counter()
        self.accepted = 0
        self.retries = 0
        self._lock = threading.Lock()

    def take(self, names: Sequence[str], verdicts: Sequence[dict[str, Any]]) -> None:
        with self._lock:
            self.accepted += 1
            for name, verdict in zip(names, verdicts, strict=True):
                told = self.alerts[name]
                self.outcomes[verdict["outcome"]] += 1
                told.created += verdict["outcome"] == "created"
                if verdict["id"] is not None:
                    told.ids.add(verdict["id"])

    def note_retry(self) -> None:
        with self._lock:
            self.retries += 1


class Sender(threading.Thread):
    """Sends new alerts, repeats and resolves, until it is stopped or gives up."""

    def __init__(
        self, name: str, seed: str, addresses: Sequence[str], token: str, ledger: Ledger
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._random = random.Random(seed)
        self._addresses = addresses
        self._token = token
        self._ledger = ledger
        self._mine: list[str] = []
        self._stopping = threading.Event()
        self._giving_up = threading.Event()

    def stop(self) -> None:
        """Start nothing new; started requests are sent until they are accepted."""
        self._stopping.set()

    def give_up(self) -> None:
        self._giving_up.set()

    def run(self) -> None:
        while not self._stopping.is_set():
            names = self._choose()
            twice = self._random.random() < 0.25
            self._send(names, twice=twice)
            self._stopping.wait(self._random.uniform(0.02, 0.25))

    def _choose(self) -> list[str]:
        """Change the state of some alerts; their names."""
        chance = self._random.random()
        firing = [name for name in self._mine if self._ledger.alerts[name].firing]
        if chance < 0.6 or not firing:
            return [self._new() for _ in range(self._random.choice((1, 1, 1, 2, 3)))]
        if chance > 0.95:
            return [self._fire(self._random.choice(self._mine))]
        name = self._random.choice(firing)
        self._ledger.alerts[name].firing = chance > 0.8
        return [name]

    def _new(self) -> str:
        name = f"{self.name}-{len(self._mine)}"
        self._mine.append(name)
        self._ledger.alerts[name] = Told()
        return self._fire(name)

    def _fire(self, name: str) -> str:
        told = self._ledger.alerts[name]
        if not told.firing:
            told.firing, told.starts_at, told.since = True, _now(), time.time()
        return name

    def _send(self, names: Sequence[str], *, twice: bool) -> None:
        """``twice``: as from the two instances of a cluster, at the same time."""
        body = json.dumps(self._payload(names)).encode()
        if not twice:
            self._deliver(names, body, self._random.randrange(100))
            return
        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(self._deliver, names, body, turn) for turn in range(2)]:
                done.result()

    def _payload(self, names: Sequence[str]) -> dict[str, Any]:
        alerts = []
        for name in names:
            told = self._ledger.alerts[name]
            alerts.append(
                {
                    "status": "firing" if told.firing else "resolved",
                    "labels": {"alertname": name, "severity": "critical"},
                    "annotations": {"summary": f"{name} is on fire"},
                    "startsAt": told.starts_at,
                    "endsAt": "0001-01-01T00:00:00Z" if told.firing else _now(),
                    "fingerprint": name,
                }
            )
        return {"version": "4", "status": "firing", "alerts": alerts}

    def _deliver(self, names: Sequence[str], body: bytes, turn: int) -> None:
        while not self._giving_up.is_set():
            status, answer = self._post(self._addresses[turn % len(self._addresses)], body)
            if 200 <= status < 300:
                self._ledger.take(names, json.loads(answer))
                return
            if status and status < 500:
                self._ledger.refused.append(f"{names}: {status} {answer[:200]!r}")
                return
            self._ledger.note_retry()
            turn += 1
            self._giving_up.wait(PAUSE)
        self._ledger.unanswered += names

    def _post(self, address: str, body: bytes) -> tuple[int, bytes]:
        """(status, body); status 0: there was no answer, or only a part of it."""
        request = urllib.request.Request(
            f"{address}/api/integrations/alertmanager",
            data=body,
            headers={
                "Content-Type": "application/json",
                "Authorization": f"Bearer {self._token}",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except (OSError, http.client.HTTPException):
            return 0, b""


def _now() -> str:
    return datetime.now(UTC).isoformat()
