"""What the jobs of a worker process share."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from incidentrelay.channels.registry import Registry
from incidentrelay.db import Database
from incidentrelay.domain.delivery.leases import LeaseHolder
from incidentrelay.services.alerts.links import LinkMaker
from incidentrelay.services.common.secret_box import SecretBox
from incidentrelay.settings.declaration import Settings

# Time for a claim and its result, besides sending.
LEASE_MARGIN = timedelta(seconds=15)
# The rows of one kind per batch; a sweep continues while a batch was full.
BATCH = 500


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """``jitter()`` ∈ [0, 1) spreads retries. ``holder`` is the process in its leases.

    Safe to share between threads.
    """

    settings: Settings
    database: Database
    channels: Registry
    vault: SecretBox
    links: LinkMaker
    clock: Callable[[], datetime]
    jitter: Callable[[], float]
    holder: LeaseHolder | None = None

    @property
    def longest_lease(self) -> timedelta:
        return timedelta(seconds=self.settings.delivery_lease)

    def lease_length(self, method: str) -> timedelta:
        """A lease ends soon after the channel's own time limit, if it has one."""
        channel = self.channels.get(method) if method in self.channels.names() else None
        limit = getattr(channel, "time_limit", None)
        if limit is None:
            return self.longest_lease
        return min(self.longest_lease, timedelta(seconds=limit) + LEASE_MARGIN)
