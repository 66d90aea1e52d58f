"""Who does what is done in the console."""

from typing import Any

from incidentrelay.domain.actors import Actor


def actor(request: Any) -> Actor:
    """The person in the browser, as services know them."""
    identity = request.identity
    return Actor(
        name=identity.username,
        via="console",
        user_id=identity.user_id,
        is_admin=identity.is_admin,
        request_id=request.id,
    )
