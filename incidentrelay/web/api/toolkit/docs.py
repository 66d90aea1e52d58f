"""The description of the API."""

from typing import Any

from pyramid.security import NO_PERMISSION_REQUIRED

from incidentrelay.web.api.toolkit.openapi import build_spec
from incidentrelay.web.api.toolkit.view import api_view
from incidentrelay.web.resources.root import Root


@api_view(
    context=Root,
    method="GET",
    permission=NO_PERMISSION_REQUIRED,
    summary="Entry point",
)
def index(_context: Root, request: Any) -> dict[str, str]:
    api = request.resource_path(_context, route_name="api").rstrip("/")
    return {"description": f"{api}/openapi.json", "me": f"{api}/me", "alerts": f"{api}/alerts"}


@api_view(
    context=Root,
    name="openapi.json",
    method="GET",
    permission=NO_PERMISSION_REQUIRED,
    summary="Show this API description as OpenAPI 3.1",
)
def description(_context: Root, request: Any) -> dict[str, Any]:
    return build_spec(request.registry)
