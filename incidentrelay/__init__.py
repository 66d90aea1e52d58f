"""On-call routing, alert delivery and escalation for self-hosting teams.

``main`` is what a paste ini file names; ``make_app`` is the same for whoever has
checked settings already. Everything is imported only when an application is made,
because each import of any part of the package passes through this file.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyramid.config import Configurator

    from incidentrelay.db import Database
    from incidentrelay.settings.declaration import Settings

__version__ = "0.1.0"


# The parts of a process that requests need.
_SHARED = (
    "settings",
    "database",
    "clock",
    "vault",
    "integrations",
    "channels",
    "links",
    "downloads",
)


def main(global_config: Any, **settings: Any) -> Any:
    """The WSGI application of an ini file's section."""
    from incidentrelay.settings.loading import load

    return make_app(load(settings, os.environ), ini=settings)


def make_app(settings: "Settings", **parts: Any) -> Any:
    """The WSGI application; ``parts`` are those of :func:`configure`."""
    return configure(settings, **parts).make_wsgi_app()


def utc_now() -> datetime:
    """The clock of everything that is not a test."""
    return datetime.now(UTC)


def configure(
    settings: "Settings",
    *,
    ini: dict[str, Any] | None = None,
    database: "Database | None" = None,
    clock: Callable[[], datetime] = utc_now,
) -> "Configurator":
    """Everything that one process of the application consists of.

    The registry has the parts of :class:`incidentrelay.runtime.Runtime` by their
    names; the database and the clock can be given.
    """
    from pyramid.config import Configurator

    from incidentrelay import runtime
    from incidentrelay.migrations import SchemaWatch

    config = Configurator(settings=dict(ini or {}))
    parts = runtime.build(settings, database=database, clock=clock)
    for name in _SHARED:
        config.registry[name] = getattr(parts, name)
    config.registry["schema"] = SchemaWatch()
    config.include("incidentrelay.web")
    return config
