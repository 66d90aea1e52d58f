"""The API: the tree as JSON.

Every view is an ``@api_view``: it reads the loaded body, calls one service and returns a
node or a value. It returns 2xx and raises 4xx and 5xx, because an exception rolls back
what was written.
"""

from typing import Any

from incidentrelay.web.api.toolkit import json
from incidentrelay.web.api.toolkit.pagination import Cursors


class _Renderer:
    """Renders ``value`` as JSON."""

    def __init__(self, _info: Any) -> None:
        pass

    def __call__(self, value: Any, system: Any) -> bytes:
        response = system["request"].response
        response.content_type = "application/json"
        return json.encode(value)


def includeme(config: Any) -> None:
    # The predicate keeps /apifoo out, which the pattern alone would let in.
    config.add_route("api", "/api*traverse", path_info=r"^/api(/|$)")
    config.add_renderer("api", _Renderer)
    config.registry["cursors"] = Cursors(config.registry["settings"].secret_key)
    config.include("incidentrelay.web.api.toolkit.view")
    config.include("incidentrelay.web.api.toolkit.errors")
    config.include("incidentrelay.web.api.intake.intake")
    config.scan("incidentrelay.web.api", categories=["pyramid"])
