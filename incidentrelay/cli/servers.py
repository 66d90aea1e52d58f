"""The two long-running processes: ``serve`` and ``worker``."""

import gc
import resource
import signal
from pathlib import Path
from typing import Any

import rich_click as click

from incidentrelay.cli.config import config_option, ini_loader, open_database, read_settings
from incidentrelay.cli.parent import end_with_stdin as watch_stdin
from incidentrelay.cli.parent import parent_option

# More than connection_limit in the ini files.
OPEN_FILES = 4096


@click.command()
@config_option
@parent_option
def serve(config: Path, end_with_stdin: bool) -> None:
    """Run the web server: API, console and intake.

    It listens on the address in [server:main] of the ini file.

    Example: incidentrelay serve -c production.ini
    """
    from incidentrelay import log_setup

    settings = read_settings(config)
    log_setup.configure(settings)
    open_database(settings, config).dispose()
    loader = ini_loader(config)
    app = loader.get_wsgi_app("main")
    server = loader.get_wsgi_server("main")
    _spare_collector()
    _allow_many_connections()
    # This exception ends the server's loop cleanly; the default handler would kill it.
    signal.signal(signal.SIGTERM, _leave)
    if end_with_stdin:
        watch_stdin()
    server(app)


@click.command()
@config_option
@parent_option
def worker(config: Path, end_with_stdin: bool) -> None:
    """Run a worker: deliveries, reminders and escalations.

    Any number of workers may run on one database.

    Example: incidentrelay worker -c production.ini
    """
    from incidentrelay import runtime
    from incidentrelay.log_setup import configure
    from incidentrelay.tasks import worker as process

    settings = read_settings(config)
    configure(settings)
    database = open_database(settings, config)
    parts = runtime.build(settings, database=database)
    if end_with_stdin:
        watch_stdin()
    process.run(parts)


def _spare_collector() -> None:
    """Keep the garbage collector off what lives as long as the process.

    A batch of alerts makes it run often, and each full run would go through the whole program.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _allow_many_connections() -> None:
    """Raise the soft limit of open files, which is often 1024 or less."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _leave(_number: int, _frame: Any) -> None:
    raise SystemExit(0)
