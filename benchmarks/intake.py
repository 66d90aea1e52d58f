"""How fast intake is, beside a floor measured in the same run.

The floor is the same web server (waitress) doing the least that a durable answer
needs: parse the JSON, one INSERT, one COMMIT. Absolute figures move with the machine;
the ratio is what counts::

    .venv/bin/python benchmarks/intake.py
    .venv/bin/python benchmarks/intake.py --database postgresql+psycopg://postgres@127.0.0.1/bench

The PostgreSQL database must be empty; it is emptied again at the end.
"""

import argparse
import http.client
import json
import logging
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import waitress
from sqlalchemy import text

from incidentrelay import make_app, migrations
from incidentrelay.db import Database
from incidentrelay.models import Base
from incidentrelay.runtime import build
from incidentrelay.services.operations.demo import create_demo
from incidentrelay.settings.loading import load

SECONDS = 4
MOST_REQUESTS = 20_000
CASES = (("new", 1, 1), ("new", 8, 1), ("repeats", 8, 1), ("new", 4, 100))


def settings(url: str, folder: str) -> Any:
    ini = {
        "incidentrelay.public_url": "http://127.0.0.1",
        "incidentrelay.secret_key": "benchmark-0123456789-abcdefghijklmnopqrstuvwxyz",
        "incidentrelay.sqlalchemy.url": url,
        "incidentrelay.huey.url": f"sqlite:///{folder}/queue.sqlite",
    }
    return load(ini, {})


def product(url: str, folder: str) -> tuple[Any, str, Callable[[], None]]:
    """The real application with demo data; (WSGI app, token, how to close it)."""
    checked = settings(url, folder)
    parts = build(checked)
    migrations.upgrade(parts.database)
    with parts.database.write() as session:
        made = create_demo(
            session,
            now=parts.clock(),
            registry=parts.channels,
            vault=parts.vault,
            integrations=parts.integrations,
        )
    assert made is not None
    token = next(route.token for route in made.routes if route.source == "alertmanager")
    return make_app(checked, database=parts.database), token, parts.close


def floor(url: str, folder: str) -> tuple[Any, str, Callable[[], None]]:
    """Parse, INSERT, COMMIT."""
    database = Database(url)
    with database.writing.begin() as connection:
        connection.execute(text("CREATE TABLE floor (id INTEGER, body TEXT)"))

    def app(environ: Any, start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        json.loads(body)
        with database.writing.begin() as connection:
            connection.execute(text("INSERT INTO floor VALUES (1, :body)"), {"body": body.decode()})
        start_response("200 OK", [("Content-Length", "2")])
        return [b"[]"]

    def close() -> None:
        with database.writing.begin() as connection:
            connection.execute(text("DROP TABLE floor"))
        database.dispose()

    return app, "none", close


@contextmanager
def serving(app: Any) -> Iterator[int]:
    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=8)
    threading.Thread(target=server.run, daemon=True).start()
    yield server.effective_port
    server.close()


def body(kind: str, client: int, number: int, size: int) -> bytes:
    alerts = []
    for index in range(size):
        name = "same" if kind == "repeats" else f"{time.time_ns()}-{client}-{number}-{index}"
        labels = {"alertname": "DiskFull", "severity": "critical", "instance": name, "job": "node"}
        annotations = {"summary": "Disk is full", "description": "/var is 95% full"}
        alerts.append({"status": "firing", "labels": labels, "annotations": annotations})
    return json.dumps({"version": "4", "status": "firing", "alerts": alerts}).encode()


def load_it(port: int, token: str, kind: str, clients: int, size: int) -> dict[str, float]:
    """Post for some seconds from as many threads; bounded in count and time."""
    times: list[float] = []
    until = time.monotonic() + SECONDS

    def post(client: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        for number in range(MOST_REQUESTS // clients):
            began = time.monotonic()
            if began > until:
                break
            payload = body(kind, client, number, size)
            connection.request("POST", "/api/integrations/alertmanager", payload, headers)
            response = connection.getresponse()
            response.read()
            assert response.status == 200, response.status
            times.append(time.monotonic() - began)

    threads = [threading.Thread(target=post, args=(client,)) for client in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    p99 = statistics.quantiles(times, n=100)[98] * 1000
    return {"requests": len(times) / SECONDS, "p99": p99}


def empty(url: str) -> None:
    database = Database(url)
    Base.metadata.drop_all(database.writing)
    with database.writing.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
    database.dispose()


def main() -> None:
    logging.disable(logging.WARNING)  # waitress counts its queue
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", help="a PostgreSQL URL; without it SQLite is measured")
    parser.add_argument("--client", nargs=5, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.client:
        port, token, kind, clients, size = chosen.client
        print(json.dumps(load_it(int(port), token, kind, int(clients), int(size))))
        return
    print(f"{'':12} {'case':>24} {'req/s':>8} {'p99 ms':>8} {'alerts/s':>9} {'of floor':>8}")
    floors: dict[Any, float] = {}
    for name, make in (("floor", floor), ("incidentrelay", product)):
        with tempfile.TemporaryDirectory() as folder:
            url = chosen.database or f"sqlite:///{folder}/bench.sqlite"
            app, token, close = make(url, folder)
            with serving(app) as port:
                for case in CASES:
                    words = [str(word) for word in (port, token, *case)]
                    command = [sys.executable, __file__, "--client", *words]
                    done = subprocess.run(command, capture_output=True, text=True, check=True)
                    figure = json.loads(done.stdout)
                    floors.setdefault(case, figure["requests"])
                    kind, clients, size = case
                    label = f"{kind}, c={clients}, {size} each"
                    share = figure["requests"] / floors[case]
                    rate = figure["requests"]
                    print(
                        f"{name:13} {label:>23} {rate:8.0f} {figure['p99']:8.1f}"
                        f" {rate * size:9.0f} {share:8.0%}"
                    )
            close()
            if chosen.database:
                empty(chosen.database)


if __name__ == "__main__":
    main()
