"""Channels of a team, and the flat list of channels."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select

from incidentrelay.domain.delivery.circuit_breaker import CLOSED, Circuit
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Channel
from incidentrelay.services.channels import channels, providers
from incidentrelay.services.channels import health as channel_health
from incidentrelay.services.channels.health import ChannelHealth
from incidentrelay.web.resources.base import Item, Managed, Node
from incidentrelay.web.resources.collections import FlatCollection
from incidentrelay.web.resources.contents import TeamFolder, with_team
from incidentrelay.web.schemas.channel import ChannelSchema, CircuitSchema, HealthSchema


def _parts(node: Node) -> dict[str, Any]:
    registry = node.root.request.registry
    return {"registry": registry["channels"], "vault": registry["vault"]}


class ChannelNode(Managed):
    model = Channel
    schema = ChannelSchema
    service = channels
    noun = "channel"
    fixed = ("slug", "kind")
    offered = (*Managed.offered, Permission.TEST)
    scope_domain = "resources"
    revealed: Mapping[str, Any] = {}
    circuit: Circuit | None = None
    health: ChannelHealth | None = None

    @classmethod
    def rows(cls) -> Select[Any]:
        return with_team(Channel)

    def extras(self) -> Mapping[str, Any]:
        return _parts(self)

    def details(self) -> Mapping[str, Any]:
        """The configuration; secrets are masked except new ones in ``revealed``."""
        registry = self.root.request.registry["channels"]
        shown = {**channels.public_config(self.obj, registry), **self.revealed}
        return {
            "config": shown,
            "circuit": CircuitSchema().dump(self.circuit or CLOSED),
            "health": HealthSchema().dump(self.health or ChannelHealth()),
        }

    def complete(self) -> None:
        load_circuits([self])


def load_circuits(nodes: Sequence[Item]) -> None:
    """Set the circuit and delivery health of channel nodes."""
    if not nodes:
        return
    provider_of = {node: providers.provider_of(node.obj.id) for node in nodes}
    circuits = providers.load_circuits(nodes[0].db, list(provider_of.values()))
    health = channel_health.channel_health(nodes[0].db, [node.obj.id for node in nodes])
    for node, provider in provider_of.items():
        if isinstance(node, ChannelNode):
            node.circuit, node.health = circuits.get(provider), health.get(node.obj.id)


class TeamChannels(TeamFolder):
    tag = "channels"
    item = ChannelNode
    service = channels
    key = Channel.slug
    sorts = {"slug": Channel.slug, "name": Channel.name}

    def extras(self) -> Mapping[str, Any]:
        return _parts(self)

    def preload(self, nodes: Sequence[Item]) -> None:
        load_circuits(nodes)


class Channels(FlatCollection):
    tag = "channels"
    item = ChannelNode
    key = Channel.id
    sorts = {"slug": Channel.slug, "name": Channel.name}
    scope_domain = "resources"

    def preload(self, nodes: Sequence[Item]) -> None:
        load_circuits(nodes)
