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
    from incidentrelay.settings import Settings

__version__ = "0.1.0"


def main(global_config: Any, **settings: Any) -> Any:
    """The WSGI application of an ini file's section."""
    from incidentrelay.settings import load

    return make_app(load(settings, os.environ), ini=settings)


def make_app(settings: "Settings", **parts: Any) -> Any:
    """The WSGI application; ``parts`` are those of :func:`configure`."""
    return configure(settings, **parts).make_wsgi_app()


def utc_now() -> datetime:
    return datetime.now(UTC)


def configure(
    settings: "Settings",
    *,
    ini: dict[str, Any] | None = None,
    database: "Database | None" = None,
    clock: Callable[[], datetime] = utc_now,
) -> "Configurator":
    """Everything that one process of the application consists of.

    The registry has ``settings``, ``database``, ``clock``, ``vault``,
    ``integrations`` and ``channels``; the database and the clock can be given.
    """
    from pyramid.config import Configurator

    from incidentrelay.db import Database
    from incidentrelay.integrations import default_registry
    from incidentrelay.services.keys import derive
    from incidentrelay.services.vault import Vault

    config = Configurator(settings=dict(ini or {}))
    registry = config.registry
    registry["settings"] = settings
    registry["database"] = database or Database.of(settings)
    registry["clock"] = clock
    registry["vault"] = Vault(derive(settings.secret_key, "vault"))
    registry["integrations"] = default_registry()
    registry["channels"] = _channels(settings)
    config.include("incidentrelay.web")
    return config


def _channels(settings: "Settings") -> Any:
    from incidentrelay.channels.registry import default_registry
    from incidentrelay.transport.http import HTTPClient
    from incidentrelay.transport.smtp import SMTPServer

    http = HTTPClient(settings.outbound_allowed_networks, total_deadline=settings.outbound_timeout)
    smtp = SMTPServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_username or None,
        password=settings.smtp_password or None,
        security=settings.smtp_security,  # type: ignore[arg-type]
        sender=settings.smtp_sender,
    )
    return default_registry(http, smtp if settings.smtp_host else None)
