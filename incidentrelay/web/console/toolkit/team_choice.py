"""Asks for the team in which something is created."""

from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.services.alerts import list_queries as alert_list
from incidentrelay.web.console.toolkit import nav
from incidentrelay.web.console.toolkit.redirects import see_other
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.base import Node

TEMPLATE = "choose_team.jinja2"


def teams(context: Node, request: Any, folder_name: str) -> list[tuple[str, str]]:
    """(name, address of the form) for each team in whose folder the reader may make something."""
    found = []
    for team in alert_list.list_teams(request.db, request.identity):
        folder = context.root.place(team)[folder_name]
        if request.has_permission(Permission.CREATE, folder):
            found.append(
                (f"{team.group.name} / {team.name}", f"{console_url(request, folder)}/new")
            )
    return found


def page(context: Node, request: Any, folder_name: str, *, title: str, missing: str) -> Any:
    """The page that asks; where there is one team only, straight on to its form."""
    found = teams(context, request, folder_name)
    if len(found) == 1:
        return see_other(request, found[0][1])
    crumbs = nav.list_breadcrumbs(request, context)
    return {"teams": found, "title": title, "missing": missing, "crumbs": crumbs}
