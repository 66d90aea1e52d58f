"""The JSON face of the tree.

The law of this package: every view is an ``@api_view``; it reads what was loaded,
calls one service and returns a node or a value. 2xx is returned, 4xx and 5xx are
raised, because what was written is kept only if no exception was raised.
"""

from typing import Any

from incidentrelay.web.api.toolkit import json
from incidentrelay.web.api.toolkit.pagination import Cursors


class _Renderer:
    """JSON; ``value`` is made of what JSON can hold."""

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
    config.scan("incidentrelay.web.api", categories=["pyramid"])
