"""The load: posts alerts as Alertmanager does, from several threads of one process.

Run as ``python -m benchmarks.client`` with a :class:`Load` as JSON on standard input;
it prints an :class:`Outcome` as JSON. Bounded in time and in number.
"""

import http.client
import json
import sys
import threading
import time
from dataclasses import asdict, dataclass, field

MOST_REQUESTS = 100_000


@dataclass(frozen=True, slots=True)
class Load:
    """``rate``: requests a second of all clients together; None: as fast as it goes.

    Requests use ``tokens`` in turn. With ``repeats``, all report the same signal.
    ``prefix`` makes the titles of two loads differ.
    """

    port: int
    tokens: list[str]
    seconds: float
    clients: int = 1
    size: int = 1
    repeats: bool = False
    rate: float | None = None
    most: int = MOST_REQUESTS
    prefix: str = "bench"


@dataclass(slots=True)
class Outcome:
    """``latencies`` in seconds; ``accepted``: when each alert was, by its title."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    refused: int = 0
    accepted: dict[str, float] = field(default_factory=dict)


def alert_body(titles: list[str]) -> bytes:
    alerts = [
        {
            "status": "firing",
            "labels": {
                "alertname": "DiskFull",
                "severity": "critical",
                "instance": title,
                "job": "node",
            },
            "annotations": {"summary": title, "description": "/var is 95% full"},
        }
        for title in titles
    ]
    return json.dumps({"version": "4", "status": "firing", "alerts": alerts}).encode()


class Client(threading.Thread):
    """Posts each ``load.clients``-th request on a connection of its own."""

    def __init__(self, load: Load, number: int, start: float) -> None:
        super().__init__()
        self.load, self.number, self.began = load, number, start
        self.outcome = Outcome()

    def run(self) -> None:
        load = self.load
        connection = http.client.HTTPConnection("127.0.0.1", load.port, timeout=60)
        for number in range(self.number, load.most, load.clients):
            if load.rate:
                time.sleep(max(0.0, self.began + number / load.rate - time.monotonic()))
            if time.monotonic() - self.began > load.seconds:
                break
            self._post(connection, number)
        connection.close()

    def _post(self, connection: http.client.HTTPConnection, number: int) -> None:
        load = self.load
        titles = ["same"] if load.repeats else self._titles(number)
        body = alert_body(titles)
        token = load.tokens[number % len(load.tokens)]
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        start = time.monotonic()
        connection.request("POST", "/api/integrations/alertmanager", body, headers)
        response = connection.getresponse()
        response.read()
        end = time.monotonic()
        if response.status == 200:
            self.outcome.latencies.append(end - start)
            self.outcome.accepted.update(dict.fromkeys(titles, end))
        else:
            self.outcome.refused += 1

    def _titles(self, number: int) -> list[str]:
        return [f"{self.load.prefix}-{number}-{index}" for index in range(self.load.size)]


def run_load(load: Load) -> Outcome:
    start = time.monotonic()
    clients = [Client(load, number, start) for number in range(load.clients)]
    for client in clients:
        client.start()
    total = Outcome()
    for client in clients:
        client.join()
        total.latencies += client.outcome.latencies
        total.refused += client.outcome.refused
        total.accepted |= client.outcome.accepted
    total.seconds = time.monotonic() - start
    return total


if __name__ == "__main__":
    print(json.dumps(asdict(run_load(Load(**json.load(sys.stdin))))))
