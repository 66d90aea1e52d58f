"""The API reference, to read and try. It contains no secrets."""

from typing import Any

from pyramid.security import NO_PERMISSION_REQUIRED

from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.resources.root import Root


@console_view(context=Root, name="docs", permission=NO_PERMISSION_REQUIRED, template="docs.jinja2")
def show(context: Root, request: Any) -> dict[str, Any]:
    path = request.resource_path(context, route_name="api").rstrip("/")
    return {"spec_url": f"{path}/openapi.json"}
