"""URLs of nodes, in the API and the console."""

from typing import Any

from pyramid.traversal import quote_path_segment

from incidentrelay.web.resources.base import Item, Node


def api_url(request: Any, node: Node) -> str:
    """The path of a node's JSON, flat if possible, without a trailing slash."""
    return _url(request, node, route_name="api")


def console_url(request: Any, node: Node) -> str:
    """The path of a node's page, flat if possible, without a trailing slash."""
    return _url(request, node)


def _url(request: Any, node: Node, **route: str) -> str:
    if not isinstance(node, Item) or node.flat_path is None:
        return _plain(request.resource_path(node, **route))
    # The same for all rows of a list.
    paths: dict[Any, str] = node.root.paths
    key = (node.flat_path, *route.values())
    if key not in paths:
        # A bare node: only for building its URL, never for its ACL.
        paths[key] = request.resource_path(Node(node.root, node.flat_path), **route)
    return f"{paths[key]}{quote_path_segment(node.__name__)}"


def _plain(path: str) -> str:
    return path.rstrip("/") or "/"
