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
    """Those that ``memberships`` may see: their channels, and the personal methods of all."""
    circuits = providers.open_circuits(session)
    if not circuits:
        return ()
    query = select(Channel).where(Channel.id.in_(providers.provider_channel_ids(circuits)))
    seen = session.scalars(scope(query, Channel, memberships, Permission.VIEW))
    names = {providers.provider_of(channel.id): f"The channel {channel.name}" for channel in seen}
    names |= {kind: registry.get(kind).info.label for kind in registry.names()}
    return tuple(
        Outage(names[provider], provider, circuit.since, circuit.reason)
        for provider, circuit in sorted(circuits.items())
        if provider in names and circuit.since is not None
    )


def count_waiting(
    session: Session, memberships: Memberships, ways: Sequence[Outage]
) -> list[tuple[Outage, int]]:
    """Each with how many messages wait until it works again, of those one may see."""
    if not ways:
        return []
    query: Any = (
        select(Notification.provider, func.count())
        .where(
            Notification.provider.in_([way.provider for way in ways]), Notification.state.in_(DUE)
        )
        .group_by(Notification.provider)
    )
    visible = scope(query, Notification, memberships, Permission.VIEW)
    counts: dict[str, int] = dict(session.execute(visible).all())
    return [(way, counts.get(way.provider, 0)) for way in ways]
