"""Providers that are down, and how many messages wait for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Channel, Notification
from incidentrelay.services.access.visibility import Memberships, scope
from incidentrelay.services.channels import providers
from incidentrelay.services.channels.config import ChannelRegistry
from incidentrelay.services.outbox.records import DUE


@dataclass(frozen=True, slots=True)
class Outage:
    """A provider that is down, since when and why."""

    name: str
    provider: str
    since: datetime
    reason: str


def list_outages(
    session: Session, memberships: Memberships, registry: ChannelRegistry
) -> tuple[Outage, ...]:
    """The outages of visible channels, and of all personal contact methods."""
    circuits = providers.open_circuits(session)
    if not circuits:
        return ()
    query = select(Channel).where(Channel.id.in_(providers.provider_channel_ids(circuits)))
    channels = session.scalars(scope(query, Channel, memberships, Permission.VIEW))
    names = {
        providers.provider_of(channel.id): f"The channel {channel.name}" for channel in channels
    }
    names |= {kind: registry.get(kind).info.label for kind in registry.names()}
    return tuple(
        Outage(names[provider], provider, circuit.since, circuit.reason)
        for provider, circuit in sorted(circuits.items())
        if provider in names and circuit.since is not None
    )


def count_waiting(
    session: Session, memberships: Memberships, outages: Sequence[Outage]
) -> list[tuple[Outage, int]]:
    """Each outage with the number of visible messages that wait for its end."""
    if not outages:
        return []
    query: Any = (
        select(Notification.provider, func.count())
        .where(
            Notification.provider.in_([outage.provider for outage in outages]),
            Notification.state.in_(DUE),
        )
        .group_by(Notification.provider)
    )
    visible = scope(query, Notification, memberships, Permission.VIEW)
    counts: dict[str, int] = dict(session.execute(visible).all())
    return [(outage, counts.get(outage.provider, 0)) for outage in outages]
