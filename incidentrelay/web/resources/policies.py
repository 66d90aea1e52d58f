"""Escalation policies of a team."""

from typing import Any

from sqlalchemy import Select

from incidentrelay.models import Policy
from incidentrelay.services import policies
from incidentrelay.web.resources.base import Editable
from incidentrelay.web.resources.contents import TeamFolder, with_team
from incidentrelay.web.schemas.policy import PolicySchema


class PolicyNode(Editable):
    model = Policy
    schema = PolicySchema
    service = policies
    noun = "policy"
    scope_domain = "resources"

    @classmethod
    def rows(cls) -> Select[Any]:
        return with_team(Policy)


class TeamPolicies(TeamFolder):
    item = PolicyNode
    service = policies
    key = Policy.slug
    sorts = {"slug": Policy.slug, "name": Policy.name}
