"""The list of users, the page of one, and their activation. For site admins."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from incidentrelay.domain.permissions import Permission
from incidentrelay.domain.text import is_line, join_words
from incidentrelay.services.common import limits
from incidentrelay.services.tenancy import user_queries, users
from incidentrelay.services.tenancy.user_queries import UserFilter, UserListing, UserMemberships
from incidentrelay.web.console.toolkit import nav
from incidentrelay.web.console.toolkit.actions import action_view
from incidentrelay.web.console.toolkit.actors import actor
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.base import Node
from incidentrelay.web.resources.tenancy.users import UserNode, Users

# Value of ``show`` in the URL → (label, UserFilter.active).
_STATES: Mapping[str, tuple[str, bool | None]] = {
    "active": ("Active", True),
    "inactive": ("Inactive", False),
    "all": ("All", None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    name: str
    username: str
    url: str
    email: str
    groups: str
    is_admin: bool
    active: bool
    reachable: bool


@console_view(context=Users, permission=Permission.VIEW, template="tenancy/users.jinja2")
def index(context: Users, request: Any) -> dict[str, Any]:
    show, wanted = _filter(request.GET)
    found, after = user_queries.list_users(request.db, wanted)
    more = urlencode({"q": wanted.query, "show": show, "after": after}) if after else ""
    return {
        "rows": [_row(context, request, listed) for listed in found],
        "query": wanted.query,
        "show": show,
        "states": [(value, label) for value, (label, _) in _STATES.items()],
        "new_url": nav.page_url(request, context, "new", Permission.CREATE),
        "groups_url": nav.page_url(request, context.root["groups"]),
        "next_url": f"{request.path}?{more}" if more else None,
    }


def _filter(values: Mapping[str, str]) -> tuple[str, UserFilter]:
    """The filter of a URL; unknown values count as missing."""
    show = values.get("show", "active")
    show = show if show in _STATES else "active"
    query, after = (_line(values.get(name, "").strip()) for name in ("q", "after"))
    return show, UserFilter(query=query, active=_STATES[show][1], after=after)


def _line(text: str) -> str:
    return text if is_line(text) and len(text) <= limits.ADDRESS.high else ""


def _row(context: Users, request: Any, listed: UserListing) -> UserRow:
    user = listed.user
    return UserRow(
        name=user.display_name,
        username=user.username,
        url=console_url(request, context.wrap(user)),
        email=user.email or "",
        groups=join_words(listed.groups),
        is_admin=user.is_admin,
        active=user.active,
        reachable=listed.reachable,
    )


@console_view(context=UserNode, permission=Permission.VIEW, template="tenancy/user.jinja2")
def show(context: UserNode, request: Any) -> dict[str, Any]:
    user = context.obj
    found = user_queries.load_memberships(request.db, user)
    return {
        "crumbs": nav.list_breadcrumbs_above(request, context),
        "user": user,
        "own": user.id == request.identity.user_id,
        "reachable": found.reachable,
        "contacts": found.contacts,
        "memberships": _memberships(context, request, found),
        **_links(context, request),
    }


def _memberships(context: Node, request: Any, found: UserMemberships) -> list[tuple[str, str, str]]:
    """(name, URL, role) of each group and team."""
    place = context.root.place
    groups = [
        (row.group.name, console_url(request, place(row.group)), row.role.capitalize())
        for row in found.groups
    ]
    return groups + [
        (
            f"{row.team.group.name} / {row.team.name}",
            console_url(request, place(row.team)),
            row.role.capitalize(),
        )
        for row in found.teams
    ]


def _links(context: UserNode, request: Any) -> dict[str, str | None]:
    """Links; nobody deactivates or deletes themselves, or changes their own password here."""
    user = context.obj
    named = {"edit": True}
    if user.id != request.identity.user_id:
        named |= {"password": True, "delete": True, "deactivate": user.active}
        named["activate"] = not user.active
    return {
        f"{name}_url": f"{console_url(request, context)}/{name}" if named.get(name) else None
        for name in ("edit", "password", "deactivate", "activate", "delete")
    }


@action_view(UserNode, "activate", Permission.EDIT)
def activate(context: UserNode, request: Any) -> str:
    users.update(request.db, context.obj, {"active": True}, actor=actor(request), now=request.now)
    return f"{context.obj.display_name} activated."
