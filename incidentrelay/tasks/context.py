"""What the jobs of a worker process share."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from incidentrelay.channels.registry import Registry
from incidentrelay.db import Database
from incidentrelay.services.alerts.links import LinkMaker
from incidentrelay.services.common.secret_box import SecretBox
from incidentrelay.settings.declaration import Settings

# So many rows of one kind are taken at a time; a sweep goes on while a batch was full.
BATCH = 500


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """``jitter()`` ∈ [0, 1) spreads retries. Safe to share between threads."""

    settings: Settings
    database: Database
    channels: Registry
    vault: SecretBox
    links: LinkMaker
    clock: Callable[[], datetime]
    jitter: Callable[[], float]
