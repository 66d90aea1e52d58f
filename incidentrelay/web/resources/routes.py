"""Routes of a team, and the flat list of routes."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import joinedload, selectinload

from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Route
from incidentrelay.services import routes
from incidentrelay.web.resources.base import Door, Editable, Node
from incidentrelay.web.resources.contents import TeamFolder, with_team
from incidentrelay.web.schemas.route import RouteSchema


class RouteNode(Editable):
    model = Route
    schema = RouteSchema
    service = routes
    noun = "route"
    fixed = ("slug", "source")
    offered = (*Editable.offered, Permission.TEST)
    scope_domain = "resources"

    @classmethod
    def rows(cls) -> Select[Any]:
        return with_team(
            Route,
            joinedload(Route.rotation),
            joinedload(Route.policy),
            selectinload(Route.channels),
        )

    def details(self) -> Mapping[str, Any]:
        request = self.root.request
        return {"intake_url": f"{request.registry['settings'].public_url}/api/integrations/{self.obj.source}"}


def _sources(node: Node) -> dict[str, Any]:
    return {"integrations": node.root.request.registry["integrations"]}


class TeamRoutes(TeamFolder):
    item = RouteNode
    service = routes
    key = Route.slug
    sorts = {"slug": Route.slug, "position": Route.position}

    def extras(self) -> Mapping[str, Any]:
        return _sources(self)


class Routes(Door):
    item = RouteNode
    key = Route.id
    sorts = {"slug": Route.slug, "name": Route.name}
    scope_domain = "resources"
