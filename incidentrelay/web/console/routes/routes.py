"""The list of routes, the page of one, and its deletion."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.services.intake import route_queries
from incidentrelay.services.intake.route_queries import RouteListing
from incidentrelay.web.console.forms import forms
from incidentrelay.web.console.routes import sender, wording
from incidentrelay.web.console.routes.wording import RouteHealthView
from incidentrelay.web.console.toolkit import nav, team_choice
from incidentrelay.web.console.toolkit.confirm_delete import DeleteQuestion, confirm_delete
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.base import Node
from incidentrelay.web.resources.intake.routes import RouteNode, Routes, TeamRoutes

INDEX = "routes/index.jinja2"
_LOST = "Its token stops working: whatever is sent with it is lost. This cannot be undone."
_PLACEHOLDER = "PASTE-THE-TOKEN-HERE"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRow:
    """One route of the list; ``pages`` is "" if it pages nobody."""

    url: str
    team_name: str
    name: str
    source: str
    matchers: Sequence[str]
    pages: str
    channels: Sequence[str]
    health: RouteHealthView


@console_view(context=Routes, permission=Permission.VIEW, template=INDEX)
def index(context: Routes, request: Any) -> dict[str, Any]:
    found = route_queries.list_routes(request.db, request.identity, request.now)
    creatable = team_choice.teams(context, request, "routes")
    return _list(context, request, found, bool(creatable))


@console_view(context=TeamRoutes, permission=Permission.VIEW, template=INDEX)
def team_index(context: TeamRoutes, request: Any) -> dict[str, Any]:
    found = route_queries.list_routes(
        request.db, request.identity, request.now, team_id=context.team.id
    )
    creatable = request.has_permission(Permission.CREATE, context)
    return {
        **_list(context, request, found, creatable),
        "crumbs": nav.list_breadcrumbs_above(request, context),
        "team_name": context.team.name,
    }


def _list(
    context: Node, request: Any, found: Sequence[RouteListing], creatable: bool
) -> dict[str, Any]:
    return {
        "crumbs": [],
        "team_name": None,
        "rows": [_row(context, request, listed) for listed in found],
        "new_url": f"{console_url(request, context)}/new" if creatable else None,
    }


def _row(context: Node, request: Any, listed: RouteListing) -> RouteRow:
    route = listed.route
    return RouteRow(
        url=console_url(request, context.root.place(route)),
        team_name=f"{route.team.group.name} / {route.team.name}",
        name=route.name,
        source=sender.label_of(request, route.source),
        matchers=route.matchers,
        pages=wording.pages_whom(route),
        channels=[] if route.policy else [channel.name for channel in route.channels],
        health=wording.view_health(route, listed.health),
    )


choose_team = team_choice.ask_team(Routes, "routes", "route")


@console_view(context=RouteNode, permission=Permission.VIEW, template="routes/route.jinja2")
def show(context: RouteNode, request: Any) -> dict[str, Any]:
    route, before = context.obj, forms.before(request.GET)
    found, older = route_queries.list_requests(request.db, route.id, before)
    health = route_queries.load_health(request.db, [route.id], request.now)[route.id]
    return {
        "crumbs": nav.list_breadcrumbs_above(request, context),
        "route": route,
        "source": sender.label_of(request, route.source),
        "pages": wording.pages_whom(route),
        "health": wording.view_health(route, health),
        "requests": [wording.view_request(row, request.script_name) for row in found],
        "next_url": f"{request.path}?before={older}" if older else None,
        "sender": sender.describe(context, request, _PLACEHOLDER),
        **_links(context, request),
    }


def _links(context: RouteNode, request: Any) -> dict[str, str | None]:
    """Links; None if the reader may not follow them."""
    url = console_url(request, context)
    named = {
        "edit": Permission.EDIT,
        "token": Permission.EDIT,
        "test": Permission.TEST,
        "delete": Permission.DELETE,
    }
    return {
        f"{name}_url": f"{url}/{name}" if request.has_permission(permission, context) else None
        for name, permission in named.items()
    }


@confirm_delete(RouteNode)
def ask_delete(context: RouteNode, request: Any) -> DeleteQuestion:
    name, count = context.obj.name, route_queries.count_open_alerts(request.db, context.obj)
    alerts = "its open alert" if count == 1 else f"its {count} open alerts"
    return DeleteQuestion(
        page=context,
        title=f"Delete the route {name}?",
        consequences=(_LOST, f"This resolves {alerts}.") if count else (_LOST,),
        button=f"Delete it and resolve {alerts}" if count else "Delete the route",
        done=f"Route {name} deleted.",
        path="routes",
        seen={"open_alerts": str(count)},
        extras={"resolve": bool(count) and _may_resolve(context, request, count)},
    )


def _may_resolve(context: RouteNode, request: Any, count: int) -> bool:
    """Whether the page has shown how many alerts this resolves, to somebody who may."""
    alerts = context.root.place(context.obj.team)["alerts"]
    seen = request.POST.get("open_alerts") == str(count)
    return seen and bool(request.has_permission(Permission.RESPOND, alerts))
