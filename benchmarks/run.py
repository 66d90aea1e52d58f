"""Runs all cases on one kind of database."""

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from benchmarks import cases, processes
from benchmarks.dataset import create_dataset
from benchmarks.reads import measure_reads
from benchmarks.report import Report
from incidentrelay.cli.config import read_settings

SERVER = os.environ.get("TEST_POSTGRESQL_URL", "postgresql+psycopg://postgres@127.0.0.1/postgres")


@dataclass(frozen=True, slots=True)
class Options:
    """``seconds`` of one intake case in one round; ``storm``: how many alerts it has."""

    rounds: int = 3
    seconds: float = 5.0
    routes: int = 400
    storm: int = 5_000
    sizes: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)


QUICK = Options(rounds=1, seconds=1.0, routes=60, storm=120, sizes=(200,))


def measure(report: Report, kind: str, options: Options) -> None:
    """``kind``: sqlite or postgresql."""
    port, floor_port, sink_port = (processes.free_port() for _ in range(3))
    with tempfile.TemporaryDirectory() as name, databases(kind, Path(name)) as (url, floor_url):
        folder = Path(name)
        queue = f"sqlite:///{folder}/queue.sqlite"
        ini = processes.write_ini(folder, port=port, database=url, queue=queue)
        data = create_dataset(read_settings(ini), route_count=options.routes, sink_port=sink_port)
        log, program, tail = folder / "log", "incidentrelay.cli.main", ("-c", str(ini))
        floor_words = ("benchmarks.floor", floor_url, str(floor_port))
        with (
            processes.running(log, "benchmarks.sink", str(sink_port), port=sink_port),
            processes.running(log, *floor_words, port=floor_port),
            processes.running(log, program, "serve", *tail, port=port) as web,
        ):
            setup = cases.Setup(floor_port, port, sink_port, web, data.tokens, options.seconds, "")
            _measure_delivery(
                report,
                kind,
                setup,
                options,
                lambda: processes.Process(log, program, "worker", *tail),
            )
            _measure_intake(report, kind, setup, options)


def measure_growth(report: Report, kind: str, options: Options) -> None:
    """Reads of a history that grows."""
    with tempfile.TemporaryDirectory() as name, databases(kind, Path(name)) as (url, _):
        measure_reads(report, kind, url, Path(name), list(options.sizes))


def _measure_delivery(
    report: Report, kind: str, setup: cases.Setup, options: Options, worker: cases.StartWorker
) -> None:
    """The cases with a worker come first: those of intake leave it too much to send."""
    with cases.delivering(replace(setup, run="deliveries"), worker) as (process, figures):
        report.add(kind, "deliveries, one worker", figures)
        process.wait_until_idle()
        quiet = cases.measure_quiet(replace(setup, run="quiet"))
        report.add(kind, "accepted to sink, quiet", quiet)
        storm = cases.measure_storm(replace(setup, run="storm"), options.storm)
        report.add(kind, f"storm of {options.storm}", storm)
        memory = {"web MiB": setup.web.memory_mib(), "worker MiB": process.memory_mib()}
        report.add(kind, "after the storm", memory)


def _measure_intake(report: Report, kind: str, setup: cases.Setup, options: Options) -> None:
    """Floor and product take turns, so that both meet the same weather."""
    for number in range(options.rounds):
        for case in cases.INTAKE:
            figures = cases.measure_intake(case, replace(setup, run=f"{case.name}-{number}"))
            report.add(kind, case.name, figures)
            for name, goal in cases.goals(case).items():
                report.goals[kind, case.name, name] = goal[kind == "postgresql"]
    half = report.median(kind, cases.INTAKE[0].name, "requests/s") / 2
    steady = cases.measure_half_rate(replace(setup, run="steady"), half)
    report.add(kind, "new, at half the rate", steady)


@contextmanager
def databases(kind: str, folder: Path) -> Iterator[tuple[str, str]]:
    """The URLs of two empty databases: of the product and of the floor."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/bench.sqlite", f"sqlite:///{folder}/floor.sqlite"
        return
    server = make_url(SERVER)
    names = [f"incidentrelay_bench_{uuid.uuid4().hex[:12]}" for _ in range(2)]
    plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        for name in names:
            connection.execute(f'CREATE DATABASE "{name}"')
        try:
            product, floor = (
                server.set(database=name).render_as_string(hide_password=False) for name in names
            )
            yield product, floor
        finally:
            for name in names:
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
