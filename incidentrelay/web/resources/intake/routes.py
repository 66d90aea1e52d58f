"""Routes of a team, and the flat list of routes."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import joinedload, selectinload

from incidentrelay.domain.permissions import Permission
from incidentrelay.models import IntakeRequest, Route
from incidentrelay.services.intake import routes
from incidentrelay.web.resources.base import Item, Managed, Node
from incidentrelay.web.resources.collections import Collection, FlatCollection
from incidentrelay.web.resources.contents import TeamFolder, with_team
from incidentrelay.web.schemas.intake.route import IntakeSchema, RouteSchema


class IntakeNode(Item):
    model = IntakeRequest
    schema = IntakeSchema
    noun = "request"
    scope_domain = "resources"

    def details(self) -> Mapping[str, Any]:
        return {"body": self.obj.body.decode(errors="replace")}


class RouteIntake(Collection):
    """The last requests received with the route's token."""

    item = IntakeNode
    key = IntakeRequest.id
    sorts = {"-id": IntakeRequest.id}
    scope_domain = "resources"

    def statement(self) -> Select[Any]:
        return super().statement().where(IntakeRequest.route_id == self.owner.id)


class RouteNode(Managed):
    model = Route
    schema = RouteSchema
    service = routes
    noun = "route"
    fixed = ("slug", "source")
    offered = (*Managed.offered, Permission.TEST)
    scope_domain = "resources"
    children = {"intake": RouteIntake}
    token: str | None = None

    @classmethod
    def rows(cls) -> Select[Any]:
        return with_team(
            Route,
            joinedload(Route.rotation),
            joinedload(Route.policy),
            selectinload(Route.channels),
        )

    def details(self) -> Mapping[str, Any]:
        """The intake URL, and the token in the response that created it."""
        public_url = self.root.request.registry["settings"].public_url
        token = {"token": self.token} if self.token else {}
        return {"intake_url": f"{public_url}/api/integrations/{self.obj.source}", **token}


def _sources(node: Node) -> dict[str, Any]:
    return {"integrations": node.root.request.registry["integrations"]}


class TeamRoutes(TeamFolder):
    tag = "routes"
    item = RouteNode
    service = routes
    key = Route.slug
    sorts = {"slug": Route.slug, "position": Route.position}

    def extras(self) -> Mapping[str, Any]:
        return _sources(self)


class Routes(FlatCollection):
    tag = "routes"
    item = RouteNode
    key = Route.id
    sorts = {"slug": Route.slug, "name": Route.name}
    scope_domain = "resources"
