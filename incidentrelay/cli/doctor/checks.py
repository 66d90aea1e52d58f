"""The checks of ``doctor``: one table. A new check is one function and one row."""

import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError

from incidentrelay import migrations
from incidentrelay.cli.config import read_settings
from incidentrelay.cli.errors import CommandFailed, explain
from incidentrelay.db import Database
from incidentrelay.services.common import heartbeats
from incidentrelay.services.operations import health
from incidentrelay.settings.declaration import Settings
from incidentrelay.settings.key import ConfigurationError
from incidentrelay.tasks.queue import make_huey


class CheckOutcome(StrEnum):
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What one check found; ``advice`` is what to type, "" unless it failed."""

    name: str
    outcome: CheckOutcome
    sentence: str
    advice: str = ""


class Installation:
    """What the checks look at. Each part is opened when a check needs it."""

    def __init__(self, config: Path, now: Callable[[], datetime]) -> None:
        self.config = config
        self.now = now

    @cached_property
    def settings(self) -> Settings:
        return read_settings(self.config)

    @cached_property
    def database(self) -> Database:
        return Database.of(self.settings)

    def close(self) -> None:
        if "database" in self.__dict__:
            self.database.dispose()


@dataclass(frozen=True, slots=True)
class Check:
    """``run`` returns a sentence about what is well, or raises what is wrong.

    It is skipped unless the check ``needs`` was well. ``advice`` may contain {config}.
    """

    name: str
    run: Callable[[Installation], str]
    advice: str
    needs: str = ""


def diagnose(installation: Installation, checks: "Sequence[Check]") -> Iterator[Diagnosis]:
    """Run the checks in order."""
    well: set[str] = {""}
    for check in checks:
        if check.needs not in well:
            sentence = f"Not checked, because of {check.needs}."
            yield Diagnosis(check.name, CheckOutcome.SKIPPED, sentence)
            continue
        try:
            sentence = check.run(installation)
        except (CommandFailed, ConfigurationError, SQLAlchemyError, OSError) as error:
            advice = check.advice.format(config=installation.config)
            yield Diagnosis(check.name, CheckOutcome.FAILED, _said(error), advice)
        else:
            well.add(check.name)
            yield Diagnosis(check.name, CheckOutcome.OK, sentence)


def _said(error: Exception) -> str:
    # The text of other database errors contains statements and their values.
    return explain(error) or f"{type(error).__name__}."


def _config(installation: Installation) -> str:
    return f"{installation.config} can be read; the URL is {installation.settings.public_url}."


def _database(installation: Installation) -> str:
    file = make_url(installation.settings.sqlalchemy_url).database
    if installation.settings.sqlalchemy_url.startswith("sqlite") and not Path(file or "").is_file():
        # Connecting would create it.
        raise CommandFailed(f"There is no file {file}.")
    with installation.database.reading.connect() as connection:
        connection.execute(text("SELECT 1"))
    return f"{installation.database.reading.dialect.name} answers."


def _schema(installation: Installation) -> str:
    found, needed = migrations.current(installation.database), migrations.head()
    if found is None:
        raise CommandFailed("The database is empty.")
    if found != needed:
        raise CommandFailed(f"The database has revision {found}, but {needed} is needed.")
    differences = migrations.check(installation.database)
    if differences:
        raise CommandFailed(f"The tables differ from what is expected: {'; '.join(differences)}")
    return f"The tables are those of revision {needed}."


def _disk(installation: Installation) -> str:
    with installation.database.write() as session:
        health.try_write(session, installation.now())
    return "The database takes a write."


def _queue(installation: Installation) -> str:
    try:
        huey = make_huey(installation.settings.huey_url)
        count = huey.pending_count()
        huey.storage.close()
    except Exception as error:
        # Huey's stores have no error class in common.
        raise CommandFailed(f"The queue cannot be used: {' '.join(str(error).split())}") from None
    return f"The queue answers; tasks waiting: {count}."


def _worker(installation: Installation) -> str:
    now = installation.now()
    with installation.database.read() as session:
        seen_at = health.check_health(session, now).worker_seen_at
    if seen_at is None:
        raise CommandFailed("No worker has been seen yet: nobody is notified.")
    ago = f"{_seconds(now - seen_at)} s ago"
    if heartbeats.is_silent(seen_at, now):
        raise CommandFailed(f"The last worker was seen {ago}: nobody is notified.")
    return f"A worker was seen {ago}."


def _clocks(installation: Installation) -> str:
    with installation.database.read() as session:
        offset = heartbeats.measure_clock(session, installation.now())
        wrong = {
            each.machine: each.seconds
            for each in heartbeats.list_wrong_clocks(session, installation.now())
        }
    if offset is None:
        return "SQLite runs on one machine, so there is only one clock."
    here = socket.gethostname()
    wrong.pop(here, None)
    if abs(offset) > heartbeats.LARGEST_OFFSET.total_seconds():
        wrong[here] = offset
    if wrong:
        clocks = (f"{name} is {_side(seconds)}" for name, seconds in sorted(wrong.items()))
        raise CommandFailed(f"Clocks differ from the database's: {', '.join(clocks)}.")
    return f"This machine is {_side(offset)} of the database, and no other differs more."


def _side(seconds: float) -> str:
    return f"{abs(seconds):.1f} s {'ahead' if seconds > 0 else 'behind'}"


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())


CHECKS = (
    Check("config", _config, "Correct {config}. incidentrelay settings lists all settings."),
    Check(
        "database",
        _database,
        "Start the database server, or correct incidentrelay.sqlalchemy.url in {config}."
        " For a new database: incidentrelay migrate -c {config}",
        needs="config",
    ),
    Check("schema", _schema, "incidentrelay migrate -c {config}", needs="database"),
    Check("disk", _disk, "Free some space (df -h), and check who owns the files.", needs="schema"),
    Check(
        "queue",
        _queue,
        "Start the queue's server, or correct incidentrelay.huey.url in {config}.",
        needs="config",
    ),
    Check("worker", _worker, "incidentrelay worker -c {config}", needs="schema"),
    Check("clocks", _clocks, "timedatectl set-ntp true on the machines named", needs="schema"),
)
