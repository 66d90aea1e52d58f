"""How lists, pages and sweeps take a growing history."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.cases import percentile
from benchmarks.client import Load
from benchmarks.dataset import Dataset, create_dataset
from benchmarks.growth import multiply_alerts
from benchmarks.processes import free_port, get_json, post_alerts, running, write_ini
from benchmarks.report import Report
from incidentrelay.cli.config import read_settings
from incidentrelay.runtime import Runtime, build
from incidentrelay.settings.declaration import Settings

SAMPLES = 25
FIRST_ALERTS = 100
# Two alerts for each: its channel's rate lets both go at once.
ROUTES = 50
READS = {
    "alerts": "/api/alerts",
    "open alerts": "/api/alerts?status=firing",
    "alerts by label": "/api/alerts?q=instance%3D%22reads-7-0%22",
    "alerts by text": "/api/alerts?q=reads-7-0",
    "alerts, nothing found": "/api/alerts?q=nothing-has-this",
    "alerts by regex, nothing": "/api/alerts?q=instance%3D~%22nothing.*%22",
    "one alert": "/api/alerts/7",
    "its timeline": "/api/alerts/7/events",
    "on call now": "/api/oncall",
}


def measure_reads(report: Report, kind: str, url: str, folder: Path, sizes: list[int]) -> None:
    """Median and 95th percentile of each read, and of a sweep, at each of ``sizes`` alerts."""
    port = free_port()
    ini = write_ini(folder, port=port, database=url, queue=f"sqlite:///{folder}/queue.sqlite")
    settings = read_settings(ini)
    sink_port, log = free_port(), folder / "log"
    data = create_dataset(settings, route_count=ROUTES, sink_port=sink_port)
    words = ("incidentrelay.cli.main", "serve", "-c", str(ini))
    with (
        running(log, "benchmarks.sink", str(sink_port), port=sink_port),
        running(log, *words, port=port),
        built(settings) as runtime,
    ):
        post_alerts(Load(port, data.tokens, 600, most=FIRST_ALERTS, prefix="reads"))
        for size in sizes:
            count = multiply_alerts(runtime.database, size)
            _measure_size(report, f"{kind} {count}", port, data)
            _measure_sweep(report, f"{kind} {count}", runtime)


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
