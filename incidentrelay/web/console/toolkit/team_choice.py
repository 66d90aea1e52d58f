"""Teams by name, and the page that asks for the team of something new."""

from collections.abc import Iterable
from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Team
from incidentrelay.services.alerts import list_queries as alert_list
from incidentrelay.web.console.toolkit import nav
from incidentrelay.web.console.toolkit.redirects import see_other
from incidentrelay.web.console.toolkit.view import View, attach_views, console_view
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.base import Node


def teams(context: Node, request: Any, folder_name: str) -> list[tuple[str, str]]:
    """(name, URL of the form) of each team where the reader may create something."""
    found = []
    for team in alert_list.list_teams(request.db, request.identity):
        folder = context.root.place(team)[folder_name]
        if request.has_permission(Permission.CREATE, folder):
            found.append(
                (f"{team.group.name} / {team.name}", f"{console_url(request, folder)}/new")
            )
    return found


def ask_team(context: type[Node], folder_name: str, noun: str) -> View:
    """Registers ``new`` of a flat list: asks for the team, or skips to the only one's form."""

    def choose_team(context: Node, request: Any) -> Any:
        found = teams(context, request, folder_name)
        if len(found) == 1:
            return see_other(request, found[0][1])
        return {
            "teams": found,
            "title": f"New {noun}",
            "missing": _missing(request, folder_name),
            "crumbs": nav.list_breadcrumbs(request, context),
        }

    page = console_view(
        context=context, name="new", permission=Permission.VIEW, template="choose_team.jinja2"
    )
    attach_views(choose_team, lambda config: page.register(config, choose_team))
    return choose_team


def _missing(request: Any, folder_name: str) -> str:
    if request.identity.is_admin:
        return "There is no team yet. The first steps, in the menu under your name, begin with one."
    return f"You cannot create {folder_name} in any team. Ask a team manager."


def team_names(teams: Iterable[Team]) -> dict[int, str]:
    """The names of teams, by id; with their group if there is more than one group."""
    found = {team.id: team for team in teams}
    several = len({team.group_id for team in found.values()}) > 1
    return {
        team.id: f"{team.group.name} / {team.name}" if several else team.name
        for team in found.values()
    }
