"""Routes and their tokens."""

from datetime import timedelta
from typing import Any

from incidentrelay.domain.errors import NotAllowed
from incidentrelay.domain.permissions import Permission
from incidentrelay.services.intake import route_tests, routes
from incidentrelay.services.intake.receive import ItemVerdict
from incidentrelay.web.api.toolkit import crud
from incidentrelay.web.api.toolkit.view import api_view
from incidentrelay.web.resources.base import Item
from incidentrelay.web.resources.intake.routes import RouteNode, TeamRoutes
from incidentrelay.web.schemas.intake.route import NewRouteSchema, RouteTestSchema
from incidentrelay.web.schemas.intake.verdict import VerdictSchema
from incidentrelay.web.schemas.query import RouteDeletionQuery, TokenReplacementQuery


@api_view(
    context=TeamRoutes,
    method="POST",
    permission=Permission.CREATE,
    body="schema",
    returns=NewRouteSchema,
    status=201,
    errors=(409, 413, 415, 422),
    summary="Create a route; its token is shown only once",
)
def create_route(context: TeamRoutes, request: Any) -> Item:
    row, token = routes.create(
        request.db,
        context.team,
        crud.without_version(request.body_data),
        actor=crud.actor(request),
        now=request.now,
        **context.extras(),
    )
    return _with_token(crud.created(context, request, row), token)


@api_view(
    context=RouteNode,
    name="token",
    method="POST",
    permission=Permission.EDIT,
    query=TokenReplacementQuery,
    returns=NewRouteSchema,
    errors=(412, 422),
    summary="Replace the route's token; the old one stops working, at once or after keep_old",
)
def rotate_token(context: RouteNode, request: Any) -> Item:
    crud.check_version(context, request, {})
    token = routes.rotate_token(
        request.db,
        context.obj,
        actor=crud.actor(request),
        now=request.now,
        keep_old=timedelta(seconds=request.query["keep_old"]),
    )
    return _with_token(crud.loaded(context, request), token)


@api_view(
    context=RouteNode,
    method="DELETE",
    permission=Permission.DELETE,
    query=RouteDeletionQuery,
    status=204,
    errors=(409, 412, 422),
    summary="Delete it; refused while alerts of it are open, unless resolve=true",
)
def delete_route(context: RouteNode, request: Any) -> None:
    crud.check_version(context, request, {})
    resolve = request.query["resolve"]
    alerts = context.root.place(context.obj.team)["alerts"]
    if resolve and not request.has_permission(Permission.RESPOND, alerts):
        raise NotAllowed("You may not resolve the alerts of this route.")
    routes.delete(
        request.db, context.obj, actor=crud.actor(request), now=request.now, resolve=resolve
    )


@api_view(
    context=RouteNode,
    name="test",
    method="POST",
    permission=Permission.TEST,
    body=RouteTestSchema,
    returns=VerdictSchema,
    errors=(409, 413, 415, 422),
    summary="Create a test alert that really pages the person on call",
)
def test_route(context: RouteNode, request: Any) -> ItemVerdict:
    labels = request.body_data["labels"]
    return route_tests.send_route_test(
        request.db, context.obj, labels, actor=crud.actor(request), now=request.now
    )


def _with_token(node: Item, token: str) -> Item:
    if isinstance(node, RouteNode):
        node.token = token
    return node
