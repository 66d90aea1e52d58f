"""Escalation policies of a team, and the flat list of policies."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select

from incidentrelay.models import Policy
from incidentrelay.services.escalation import policies
from incidentrelay.web.resources.base import Item, Managed
from incidentrelay.web.resources.collections import Collection, FlatCollection
from incidentrelay.web.resources.contents import TeamFolder, with_team
from incidentrelay.web.schemas.policy import PolicySchema


class PolicyNode(Managed):
    model = Policy
    schema = PolicySchema
    service = policies
    noun = "policy"
    scope_domain = "resources"
    steps: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def rows(cls) -> Select[Any]:
        return with_team(Policy)

    def details(self) -> Mapping[str, Any]:
        """The steps, with names instead of ids."""
        return {"steps": self.steps}


class PolicyCollection(Collection):
    """The base of a team's policies and the flat list; both include the steps."""

    tag = "policies"
    item = PolicyNode
    sorts = {"slug": Policy.slug, "name": Policy.name}

    def preload(self, nodes: Sequence[Item]) -> None:
        steps = policies.public_steps(self.db, [node.obj for node in nodes])
        for node in nodes:
            if isinstance(node, PolicyNode):
                node.steps = steps[node.obj.id]


class TeamPolicies(PolicyCollection, TeamFolder):
    service = policies
    key = Policy.slug


class Policies(PolicyCollection, FlatCollection):
    key = Policy.id
    scope_domain = "resources"
