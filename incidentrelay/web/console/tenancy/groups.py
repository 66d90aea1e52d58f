"""The list of groups with their teams, the page of one group, and its deletion."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Team
from incidentrelay.services.tenancy import group_queries
from incidentrelay.services.tenancy.group_queries import GroupListing
from incidentrelay.web.console.tenancy import members
from incidentrelay.web.console.toolkit import nav
from incidentrelay.web.console.toolkit.confirm_delete import DeleteQuestion, confirm_delete
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.base import Node
from incidentrelay.web.resources.tenancy.groups import GroupNode, Groups


@dataclass(frozen=True, slots=True)
class TeamLink:
    name: str
    url: str
    description: str
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """One group of the list; ``role`` is the reader's own, or "" if they have none."""

    name: str
    url: str
    description: str
    active: bool
    role: str
    members: int
    teams: Sequence[TeamLink]


@console_view(context=Groups, permission=Permission.VIEW, template="tenancy/groups.jinja2")
def index(context: Groups, request: Any) -> dict[str, Any]:
    found = group_queries.list_groups(request.db, request.identity)
    return {
        "rows": [_row(context, request, listed) for listed in found],
        "new_url": nav.page_url(request, context, "new", Permission.CREATE),
        "users_url": nav.page_url(request, context.root["users"]),
    }


def _row(context: Groups, request: Any, listed: GroupListing) -> GroupRow:
    group = listed.group
    return GroupRow(
        name=group.name,
        url=console_url(request, context.root.place(group)),
        description=group.description,
        active=group.active,
        role=str(request.identity.groups.get(group.id, "")),
        members=listed.members,
        teams=[_team_link(context, request, team) for team in listed.teams],
    )


def _team_link(context: Node, request: Any, team: Team) -> TeamLink:
    url = console_url(request, context.root.place(team))
    return TeamLink(team.name, url, team.description, team.active)


@console_view(context=GroupNode, permission=Permission.VIEW, template="tenancy/group.jinja2")
def show(context: GroupNode, request: Any) -> dict[str, Any]:
    group = context.obj
    folder: Any = context["members"]
    rows = group_queries.list_group_members(request.db, group)
    teams = group_queries.list_teams(request.db, group)
    return {
        "crumbs": [nav.Crumb("Teams", nav.page_url(request, context.root["groups"]))],
        "group": group,
        "teams": [_team_link(context, request, team) for team in teams],
        "members": members.view_members(request, folder, rows),
        "add_url": nav.page_url(request, folder, "new", Permission.CREATE),
        "new_team_url": nav.page_url(request, context["teams"], "new", Permission.CREATE),
        "edit_url": nav.page_url(request, context, "edit", Permission.EDIT),
        "delete_url": nav.page_url(request, context, "delete", Permission.DELETE),
    }


@confirm_delete(GroupNode)
def ask_delete(context: GroupNode, _request: Any) -> DeleteQuestion:
    name = context.obj.name
    return DeleteQuestion(
        page=context,
        title=f"Delete the group {name}?",
        consequences=(
            "Its memberships are deleted; the people keep their accounts. This cannot be undone.",
            "A group with teams cannot be deleted: delete its teams first.",
        ),
        button="Delete the group",
        done=f"Group {name} deleted.",
        path="groups",
    )
