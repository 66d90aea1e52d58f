"""Builds the components of a process from settings.

The web application, the worker and the commands all use it.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from incidentrelay import utc_now
from incidentrelay.channels.registry import Registry as Channels
from incidentrelay.channels.registry import default_registry as default_channels
from incidentrelay.db import Database
from incidentrelay.integrations import default_registry as default_integrations
from incidentrelay.integrations.registry import IntegrationRegistry
from incidentrelay.services.access.keys import derive_key
from incidentrelay.services.alerts.links import LinkMaker
from incidentrelay.services.common.secret_box import SecretBox
from incidentrelay.settings.declaration import Settings
from incidentrelay.tasks.context import WorkerContext
from incidentrelay.tasks.lease_holder import identify_process
from incidentrelay.tasks.queue import Queue, make_huey
from incidentrelay.tasks.runner import Runner
from incidentrelay.transport.http import HTTPClient
from incidentrelay.transport.smtp import SMTPServer

# In bytes, for calendar imports; responses to messages are much smaller.
LARGEST_DOWNLOAD = 1_000_000


@dataclass(frozen=True)
class Runtime:
    settings: Settings
    clock: Callable[[], datetime]
    database: Database
    http: HTTPClient
    downloads: HTTPClient
    integrations: IntegrationRegistry
    channels: Channels
    vault: SecretBox
    links: LinkMaker
    runner: Runner
    queue: Queue

    def close(self) -> None:
        self.http.close()
        self.downloads.close()
        self.queue.close()
        self.database.dispose()


def build(
    settings: Settings,
    *,
    clock: Callable[[], datetime] = utc_now,
    database: Database | None = None,
) -> Runtime:
    """Build the components. Nothing connects yet, except to a queue file."""
    database = database or Database.of(settings)
    http = HTTPClient(settings.outbound_allowed_networks, total_deadline=settings.outbound_timeout)
    channels = default_channels(http, smtp_server(settings))
    vault = SecretBox(derive_key(settings.secret_key, "vault"))
    links = LinkMaker(settings.public_url, derive_key(settings.secret_key, "act"))
    context = WorkerContext(
        settings,
        database,
        channels,
        vault,
        links,
        clock,
        jitter=random.random,
        holder=identify_process(),
    )
    runner = Runner(context)
    queue = Queue(make_huey(settings.huey_url), clock, runner)
    database.sink = queue.put
    return Runtime(
        settings=settings,
        clock=clock,
        database=database,
        http=http,
        downloads=download_client(settings),
        integrations=default_integrations(),
        channels=channels,
        vault=vault,
        links=links,
        runner=runner,
        queue=queue,
    )


def download_client(settings: Settings) -> HTTPClient:
    """The client that fetches calendars."""
    return HTTPClient(
        settings.outbound_allowed_networks,
        total_deadline=settings.outbound_timeout,
        max_response=LARGEST_DOWNLOAD,
    )


def smtp_server(settings: Settings) -> SMTPServer | None:
    """The mail server, or None if none is configured."""
    if not settings.smtp_host:
        return None
    return SMTPServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_username or None,
        password=settings.smtp_password or None,
        security=settings.smtp_security,  # type: ignore[arg-type]
        sender=settings.smtp_sender,
    )
