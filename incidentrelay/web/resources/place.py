"""Maps rows to their nodes in the tree, without further statements."""

from typing import Any

from incidentrelay.models import (
    Alert,
    Base,
    Channel,
    Group,
    Notification,
    Policy,
    Rotation,
    Route,
    Silence,
    Team,
    User,
)
from incidentrelay.web.resources.base import Item, Node
from incidentrelay.web.resources.collections import Collection

_IN_TEAM: dict[type[Base], str] = {
    Alert: "alerts",
    Channel: "channels",
    Notification: "notifications",
    Policy: "policies",
    Rotation: "rotations",
    Route: "routes",
    Silence: "silences",
}


def place(root: Node, row: Any) -> Item:
    """The node of ``row`` under ``root``.

    ``row`` must have its team loaded, and the team its group. Nodes of groups and teams are
    created once per request.
    """
    if isinstance(row, User):
        return _wrapped(root, "users", row)
    if isinstance(row, Group):
        return _once(root, row, lambda: _wrapped(root, "groups", row))
    if isinstance(row, Team):
        return _once(root, row, lambda: _wrapped(place(root, row.group), "teams", row))
    return _wrapped(place(root, row.team), _IN_TEAM[type(row)], row)


def _wrapped(parent: Node, name: str, row: Any) -> Item:
    collection = parent[name]
    if not isinstance(collection, Collection):
        raise TypeError(f"{name} is no collection")
    return collection.wrap(row)


def _once(root: Any, row: Any, make: Any) -> Item:
    placed: dict[Any, Item] = root.placed
    key = (type(row), row.id)
    if key not in placed:
        placed[key] = make()
    return placed[key]
