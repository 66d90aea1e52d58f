"""URLs of nodes, in the API and the console."""

from typing import Any

from incidentrelay.web.resources.base import Item, Node


def api_url(request: Any, node: Node) -> str:
    """The path of a node's JSON, flat if possible, without a trailing slash."""
    if isinstance(node, Item) and node.flat_path is not None:
        node = _through_door(node)
    return _plain(request.resource_path(node, route_name="api"))


def console_url(request: Any, node: Node) -> str:
    """The path of a node's page, flat if possible, without a trailing slash."""
    if isinstance(node, Item) and node.flat_path is not None:
        node = _through_door(node)
    return _plain(request.resource_path(node))


def _through_door(node: Item) -> Node:
    """A bare node at the flat path, only for building its URL, never for its ACL."""
    return Node(Node(node.root, str(node.flat_path)), node.__name__)


def _plain(path: str) -> str:
    return path.rstrip("/") or "/"
