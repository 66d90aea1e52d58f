"""Addresses of nodes, on either face."""

from typing import Any

from incidentrelay.web.resources.base import Item, Node


def api_url(request: Any, node: Node) -> str:
    """The path of a node's JSON face: the flat one where it has one, without a final slash."""
    if isinstance(node, Item) and node.flat_path is not None:
        node = _through_door(node)
    return _plain(request.resource_path(node, route_name="api"))


def console_url(request: Any, node: Node) -> str:
    """The path of a node's page: the flat one where it has one, without a final slash."""
    if isinstance(node, Item) and node.flat_path is not None:
        node = _through_door(node)
    return _plain(request.resource_path(node))


def _through_door(node: Item) -> Node:
    """A bare node at the flat address; for making its URL, never for asking its ACL."""
    return Node(Node(node.root, str(node.flat_path)), node.__name__)


def _plain(path: str) -> str:
    return path.rstrip("/") or "/"
