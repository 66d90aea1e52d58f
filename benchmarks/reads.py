"""How lists, pages and sweeps take a growing history."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.cases import percentile
from benchmarks.dataset import Dataset, create_dataset
from benchmarks.growth import multiply_alerts
from benchmarks.plot import exponents
from benchmarks.processes import free_port, get_json, running, write_ini
from benchmarks.report import Report
from benchmarks.seed import post_seed
from incidentrelay.cli.config import read_settings
from incidentrelay.runtime import Runtime, build
from incidentrelay.settings.declaration import Settings

SAMPLES = 25
FIRST_ALERTS = 1_000
READS = {
    "alerts": "/api/alerts",
    "open alerts": "/api/alerts?status=firing",
    "alerts by label": "/api/alerts?q=instance%3D%22node-7%22",
    "alerts by a common label": "/api/alerts?q=severity%3Dcritical",
    "alerts by two labels": "/api/alerts?q=severity%3Dcritical%2Cpod%3D%22pod-8%22",
    "alerts by label, nothing": "/api/alerts?q=instance%3D%22nothing%22",
    "alerts by text": "/api/alerts?q=node-77",
    "alerts by text, nothing": "/api/alerts?q=nothing-has-this",
    "alerts by regex, nothing": "/api/alerts?q=instance%3D~%22nothing.*%22",
    "alerts by last seen": "/api/alerts?sort=-last_seen_at",
    "one alert": "/api/alerts/7",
    "its timeline": "/api/alerts/7/events",
    "on call now": "/api/oncall?limit=200",
}


def measure_reads(report: Report, kind: str, url: str, folder: Path, sizes: list[int]) -> None:
    """Median and 95th percentile of each read, and of a sweep, at each of ``sizes`` alerts."""
    port = free_port()
    ini = write_ini(folder, port=port, database=url, queue=f"sqlite:///{folder}/queue.sqlite")
    settings = read_settings(ini)
    data = create_dataset(settings, route_count=0, sink_port=free_port(), tenants=True)
    words = ("incidentrelay.cli.main", "serve", "-c", str(ini))
    with running(folder / "log", *words, port=port), built(settings) as runtime:
        post_seed(port, data.tokens, min(FIRST_ALERTS, *sizes))
        for size in sizes:
            multiply_alerts(runtime.database, size)
            _measure_sweep(report, f"{kind} {size}", runtime)
            _measure_size(report, f"{kind} {size}", port, data)
    for read, exponent in exponents(report.figures, kind).items():
        report.add(f"{kind} growth", read, {"exponent": exponent})


@contextmanager
def built(settings: Settings) -> Iterator[Runtime]:
    runtime = build(settings)
    try:
        yield runtime
    finally:
        runtime.close()


def _measure_size(report: Report, label: str, port: int, data: Dataset) -> None:
    for who, token in (("admin", data.api_token), ("member", data.member_token)):
        for name, path in READS.items():

            def read(path: str = path, token: str = token) -> None:
                answer = get_json(port, path, token=token)
                if not isinstance(answer, dict) or "error_id" in answer:
                    raise SystemExit(f"{path}: {answer}")

            report.add(label, f"{name} ({who})", _timed(read))


def _measure_sweep(report: Report, label: str, runtime: Runtime) -> None:
    """A sweep that finds nothing due: what it costs to look."""
    for _ in range(10):
        # Rate limited messages are put off one burst at a time.
        runtime.runner.sweep()
    report.add(label, "sweep, nothing due", _timed(runtime.runner.sweep))


def _timed(call: Callable[[], object]) -> dict[str, float]:
    """Milliseconds; the first call warms up and does not count."""
    call()
    times = []
    for _ in range(SAMPLES):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1000)
    return {"p50 ms": percentile(times, 50), "p95 ms": percentile(times, 95)}
