"""Channels of a team, and the flat list of channels."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select

from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Channel
from incidentrelay.services import channels
from incidentrelay.web.resources.base import Door, Managed, Node
from incidentrelay.web.resources.contents import TeamFolder, with_team
from incidentrelay.web.schemas.channel import ChannelSchema


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

    @classmethod
    def rows(cls) -> Select[Any]:
        return with_team(Channel)

    def extras(self) -> Mapping[str, Any]:
        return _parts(self)

    def details(self) -> Mapping[str, Any]:
        """The configuration, with secrets masked; ``revealed`` ones are shown this once."""
        registry = self.root.request.registry["channels"]
        return {"config": {**channels.public_config(self.obj, registry), **self.revealed}}


class TeamChannels(TeamFolder):
    item = ChannelNode
    service = channels
    key = Channel.slug
    sorts = {"slug": Channel.slug, "name": Channel.name}

    def extras(self) -> Mapping[str, Any]:
        return _parts(self)


class Channels(Door):
    item = ChannelNode
    key = Channel.id
    sorts = {"slug": Channel.slug, "name": Channel.name}
    scope_domain = "resources"
