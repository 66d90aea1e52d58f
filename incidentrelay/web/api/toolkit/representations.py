"""Serialises nodes and values for responses."""

from typing import Any

from incidentrelay.web.api.toolkit.dumping import Dump
from incidentrelay.web.links import api_url
from incidentrelay.web.resources.base import Item, Node
from incidentrelay.web.resources.tenancy.teams import TeamNode


def item(request: Any, dump: Dump, node: Item) -> dict[str, Any]:
    """Serialise a node: fields of its row, details, URL and permissions."""
    return {
        **dump(node.obj),
        **node.details(),
        "permissions": permissions(request, node),
        "url": api_url(request, node),
    }


def plain(_request: Any, dump: Dump, value: Any) -> dict[str, Any]:
    """Serialise a value that is not a node."""
    return dump(value)


def permissions(request: Any, node: Item) -> list[str]:
    """The verbs that the current user may use on the node.

    The contents of a team without an ACL of their own share their collection's, so the rows
    of a list are checked once for each team.
    """
    parent = node.__parent__
    team = parent.__parent__ if parent is not None else None
    if not isinstance(team, TeamNode) or type(node).__acl__ is not Node.__acl__:
        return _check(request, node)
    # A request places each team once.
    key = (type(node), type(parent), team)
    checked: dict[Any, list[str]] = node.root.permissions
    if key not in checked:
        checked[key] = _check(request, node)
    return checked[key]


def _check(request: Any, node: Item) -> list[str]:
    return [str(verb) for verb in node.offered if request.has_permission(verb, node)]
