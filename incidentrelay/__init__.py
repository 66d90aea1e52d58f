"""On-call routing, alert delivery and escalation for self-hosting teams.

``main`` is the entry point for ini files; ``make_app`` takes loaded settings. Imports
happen inside functions, because importing any part of the package runs this file.
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


# The components that requests need.
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
    """The WSGI application for a section of an ini file."""
    from incidentrelay.settings.loading import load

    return make_app(load(settings, os.environ), ini=settings)


def make_app(settings: "Settings", **parts: Any) -> Any:
    """The WSGI application; ``parts`` are arguments of :func:`configure`."""
    return configure(settings, **parts).make_wsgi_app()


def utc_now() -> datetime:
    """The real clock; tests pass another."""
    return datetime.now(UTC)


def configure(
    settings: "Settings",
    *,
    ini: dict[str, Any] | None = None,
    database: "Database | None" = None,
    clock: Callable[[], datetime] = utc_now,
) -> "Configurator":
    """Configure the web application.

    The registry has components of :class:`incidentrelay.runtime.Runtime` by name. Tests
    pass their own database and clock.
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
