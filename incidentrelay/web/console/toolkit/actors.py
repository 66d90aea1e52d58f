"""The actor of changes in the console."""

from typing import Any

from incidentrelay.domain.actors import Actor


def actor(request: Any) -> Actor:
    """The signed-in user as an actor for services."""
    identity = request.identity
    return Actor(
        name=identity.username,
        via="console",
        user_id=identity.user_id,
        is_admin=identity.is_admin,
        request_id=request.id,
    )
