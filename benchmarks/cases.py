"""What is measured: intake beside its floor, and the way from intake to the sink."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.client import Load, Outcome
from benchmarks.processes import Process, get_json, post_alerts

# A case goes on for so long after the last alert was accepted, and then counts the lost.
DRAIN_SECONDS = 120
Figures = Mapping[str, float]
StartWorker = Callable[[], Process]


@dataclass(frozen=True, slots=True)
class Setup:
    """``seconds``: how long a case lasts. ``run``: a word that no other run of a case has."""

    floor_port: int
    product_port: int
    sink_port: int
    web: Process
    tokens: list[str]
    seconds: float
    run: str


@dataclass(frozen=True, slots=True)
class IntakeCase:
    """The goals on SQLite and on PostgreSQL: ``of_floor`` a ratio, ``per_second`` alerts."""

    name: str
    clients: int
    size: int = 1
    repeats: bool = False
    routes: int = 1
    of_floor: tuple[float, float] | None = None
    per_second: tuple[float, float] | None = None


INTAKE = (
    IntakeCase("new, c=8", 8, of_floor=(0.45, 0.40)),
    IntakeCase("new over all routes, c=8", 8, routes=50, of_floor=(0.45, 0.40)),
    IntakeCase("repeats, c=8", 8, repeats=True, of_floor=(0.55, 0.45)),
    IntakeCase("100 each, c=4", 4, size=100, per_second=(10_000, 6_000)),
)


def goals(case: IntakeCase) -> Mapping[str, tuple[float, float]]:
    """The least of each figure that has a goal: (SQLite, PostgreSQL)."""
    named = {"of the floor": case.of_floor, "alerts/s": case.per_second}
    return {name: goal for name, goal in named.items() if goal is not None}


def measure_intake(case: IntakeCase, setup: Setup) -> Figures:
    """Requests a second of both, the ratio, latency, and the web process' CPU time."""
    floor = _post(case, setup, setup.floor_port)
    before = setup.web.cpu_seconds()
    product = _post(case, setup, setup.product_port)
    used = setup.web.cpu_seconds() - before
    requests = len(product.latencies)
    return {
        "requests/s": _rate(product),
        "floor requests/s": _rate(floor),
        "of the floor": _rate(product) / _rate(floor),
        "alerts/s": _rate(product) * case.size,
        "p99 ms": percentile(product.latencies, 99) * 1000,
        "floor p99 ms": percentile(floor.latencies, 99) * 1000,
        "CPU ms per request": used / requests * 1000,
    }


def _post(case: IntakeCase, setup: Setup, port: int) -> Outcome:
    outcome = post_alerts(
        Load(
            port,
            setup.tokens[: case.routes],
            setup.seconds,
            clients=case.clients,
            size=case.size,
            repeats=case.repeats,
            prefix=setup.run,
        )
    )
    if outcome.refused or len(outcome.latencies) < 2:
        raise SystemExit(f"{case.name}: {outcome.refused} requests were refused.")
    return outcome


def _rate(outcome: Outcome) -> float:
    return len(outcome.latencies) / outcome.seconds


def percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def measure_half_rate(setup: Setup, rate: float) -> Figures:
    """Latency of new alerts at a steady ``rate`` of requests a second."""
    outcome = post_alerts(
        Load(
            setup.product_port,
            setup.tokens[:50],
            setup.seconds,
            clients=8,
            rate=rate,
            prefix=setup.run,
        )
    )
    return {
        "requests/s": _rate(outcome),
        "p50 ms": statistics.median(outcome.latencies) * 1000,
        "p99 ms": percentile(outcome.latencies, 99) * 1000,
    }


def measure_quiet(setup: Setup) -> Figures:
    """From accepted to the sink, one alert at a time, each on a route of its own."""
    count = min(len(setup.tokens), int(setup.seconds * 10))
    sent = post_alerts(
        Load(
            setup.product_port,
            setup.tokens,
            setup.seconds * 10,
            rate=10,
            most=count,
            prefix=setup.run,
        )
    )
    delays = _delays(setup, sent)
    return {
        "p50 ms": statistics.median(delays) * 1000,
        "p99 ms": percentile(delays, 99) * 1000,
        "lost": len(sent.accepted) - len(delays),
    }


def measure_storm(setup: Setup, alerts: int) -> Figures:
    """``alerts`` alerts in six times the case's seconds, over 50 routes and channels."""
    get_json(setup.sink_port, "/", method="DELETE")
    seconds = setup.seconds * 6
    sent = post_alerts(
        Load(
            setup.product_port,
            setup.tokens[:50],
            seconds,
            clients=8,
            rate=alerts / seconds,
            prefix=setup.run,
        )
    )
    delays = _delays(setup, sent)
    arrivals = get_json(setup.sink_port, "/")
    return {
        "accepted": len(sent.accepted),
        "messages": arrivals["messages"],
        "lost": len(sent.accepted) - len(delays),
        "p50 s": statistics.median(delays),
        "longest s": max(delays),
        "empty after s": max(arrivals["alerts"].values()) - max(sent.accepted.values()),
    }


@contextmanager
def delivering(setup: Setup, start_worker: StartWorker) -> Iterator[tuple[Process, Figures]]:
    """Starts a worker when each channel has one message due; yields it and its rate."""
    get_json(setup.sink_port, "/", method="DELETE")
    count = len(setup.tokens)
    sent = post_alerts(
        Load(setup.product_port, setup.tokens, 600, clients=4, most=count, prefix=setup.run)
    )
    worker = start_worker()
    try:
        times = _wait_for(setup, set(sent.accepted)).values()
        rate = (len(times) - 1) / (max(times) - min(times))
        figures = {
            "messages": len(times),
            "lost": len(sent.accepted) - len(times),
            "messages/s": rate,
            "CPU ms per message": worker.cpu_seconds() / len(times) * 1000,
        }
        yield worker, figures
    finally:
        worker.stop()


def _delays(setup: Setup, sent: Outcome) -> list[float]:
    """Seconds from accepted to arrived of each alert that arrived."""
    arrived = _wait_for(setup, set(sent.accepted))
    return [
        max(0.0, arrived[title] - at) for title, at in sent.accepted.items() if title in arrived
    ]


def _wait_for(setup: Setup, titles: set[str]) -> Mapping[str, float]:
    """When each alert arrived; gives up after DRAIN_SECONDS without all of them."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while True:
        arrived: Mapping[str, float] = get_json(setup.sink_port, "/")["alerts"]
        if titles <= arrived.keys() or time.monotonic() > deadline:
            return arrived
        time.sleep(0.2)
