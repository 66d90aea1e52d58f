"""The page of one team: what it owns, and what is missing before it can be paged."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.services.oncall.current import CurrentShift
from incidentrelay.services.tenancy import group_queries, team_queries
from incidentrelay.services.tenancy.team_queries import TeamPossessions
from incidentrelay.web.console.tenancy import members, team_wording
from incidentrelay.web.console.toolkit import nav
from incidentrelay.web.console.toolkit.confirm_delete import DeleteQuestion, confirm_delete
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.resources.collections import Folder
from incidentrelay.web.resources.tenancy.teams import TeamNode


@dataclass(frozen=True, slots=True)
class OwnedThing:
    """``url`` is None if it has no page. ``alarming``: ``note`` is a problem."""

    name: str
    url: str | None
    note: str
    enabled: bool = True
    alarming: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedSection:
    """The things of one kind that a team owns; ``new_url`` is None if the reader may not."""

    key: str
    title: str
    icon: str
    empty: str
    things: Sequence[OwnedThing]
    new_url: str | None


@console_view(context=TeamNode, permission=Permission.VIEW, template="tenancy/team.jinja2")
def show(context: TeamNode, request: Any) -> dict[str, Any]:
    team = context.obj
    folder: Any = context["members"]
    owned = team_queries.load_possessions(request.db, team, request.now)
    rows = group_queries.list_team_members(request.db, team)
    return {
        "crumbs": nav.list_breadcrumbs_above(request, context),
        "team": team,
        "gaps": team_wording.view_gaps(request, context, team_queries.find_gaps(team, owned)),
        "settings": team_wording.describe_settings(team, owned.fallback),
        "sections": _sections(context, request, owned),
        "members": members.view_members(request, folder, rows),
        "add_url": nav.page_url(request, folder, "new", Permission.CREATE),
        **_links(context, request, owned),
    }


def _links(context: TeamNode, request: Any, owned: TeamPossessions) -> dict[str, Any]:
    return {
        "edit_url": nav.page_url(request, context, "edit", Permission.EDIT),
        "delete_url": nav.page_url(request, context, "delete", Permission.DELETE),
        "silences": owned.silences,
        "silences_url": nav.page_url(request, context["silences"]),
        "alerts_url": f"{request.script_name}/alerts?team={context.obj.slug}",
    }


def _sections(context: TeamNode, request: Any, owned: TeamPossessions) -> list[OwnedSection]:
    found = {
        "rotations": [_rotation(context, request, shift) for shift in owned.shifts],
        "policies": _things(context, request, "policies", [(row, "") for row in owned.policies]),
        "routes": _things(
            context, request, "routes", [(row, team_wording.pages(row)) for row in owned.routes]
        ),
        "channels": _things(
            context, request, "channels", [(row, row.kind) for row in owned.channels]
        ),
    }
    return [
        OwnedSection(
            key=key,
            title=title,
            icon=icon,
            empty=empty,
            things=found[key],
            new_url=nav.page_url(request, context[key], "new", Permission.CREATE),
        )
        for key, title, icon, empty in team_wording.SECTIONS
    ]


def _rotation(context: TeamNode, request: Any, shift: CurrentShift) -> OwnedThing:
    rotation = shift.rotation
    name = shift.user.display_name if shift.user else "Nobody"
    return OwnedThing(
        name=rotation.name,
        url=_url(context, request, "rotations", rotation),
        note=f"{name} is on call",
        enabled=rotation.enabled,
        alarming=shift.user is None,
    )


def _things(
    context: TeamNode, request: Any, collection: str, rows: Sequence[tuple[Any, str]]
) -> list[OwnedThing]:
    return [
        OwnedThing(
            row.name, _url(context, request, collection, row), note, getattr(row, "enabled", True)
        )
        for row, note in rows
    ]


def _url(context: TeamNode, request: Any, collection: str, row: Any) -> str | None:
    folder = context[collection]
    return nav.page_url(request, folder.wrap(row)) if isinstance(folder, Folder) else None


@confirm_delete(TeamNode)
def ask_delete(context: TeamNode, _request: Any) -> DeleteQuestion:
    name = context.obj.name
    return DeleteQuestion(
        page=context,
        title=f"Delete the team {name}?",
        consequences=(
            "Its rotations, policies, channels and silences are deleted, and its resolved alerts"
            " with their history. This cannot be undone.",
            "A team with routes or open alerts cannot be deleted: remove those first.",
        ),
        button="Delete the team",
        done=f"Team {name} deleted.",
        path="groups",
    )
