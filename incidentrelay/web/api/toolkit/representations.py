"""Serialises nodes and values for responses."""

from typing import Any

from marshmallow import Schema

from incidentrelay.web.links import api_url
from incidentrelay.web.resources.base import Item


def item(request: Any, schema: Schema, node: Item) -> dict[str, Any]:
    """Serialise a node: fields of its row, details, URL and permissions."""
    shown: dict[str, Any] = schema.dump(node.obj)
    return {
        **shown,
        **node.details(),
        "permissions": permissions(request, node),
        "url": api_url(request, node),
    }


def plain(_request: Any, schema: Schema, value: Any) -> dict[str, Any]:
    """Serialise a value that is not a node."""
    shown: dict[str, Any] = schema.dump(value)
    return shown


def permissions(request: Any, node: Item) -> list[str]:
    """The verbs that the current user may use on the node."""
    return [str(verb) for verb in node.offered if request.has_permission(verb, node)]
