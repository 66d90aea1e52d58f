"""The routes of intake tokens, remembered by each process.

Only intake uses this memory: it checks the token again when the route is locked, and before it
answers anything about a body. A replaced token therefore opens nothing.
"""

from typing import Any

from incidentrelay.services.access.identity import Identity, load_route_identity
from incidentrelay.services.access.secrets import TokenKind, token_digest, token_kind
from incidentrelay.web.security.bearer import bearer_token

INTAKE = "/api/integrations/"
_MEMORY = "route tokens"
_MOST = 10_000


def is_intake(request: Any) -> bool:
    """Whether the request posts alerts with the token of a route."""
    return (
        request.method == "POST"
        and request.environ.get("PATH_INFO", "").startswith(INTAKE)
        and token_kind(bearer_token(request) or "") is TokenKind.ROUTE
    )


def find_route(request: Any) -> Identity | None:
    """The identity of an intake request, remembered or from the database; None if invalid."""
    token = bearer_token(request) or ""
    memory, digest = _memory(request), token_digest(token)
    identity = memory.get(digest)
    if identity is None or request.environ["PATH_INFO"] != INTAKE + (identity.source or ""):
        identity = _load(request, token)
        if len(memory) >= _MOST:
            memory.clear()
        if identity is not None:
            memory[digest] = identity
    return identity


def confirm(request: Any) -> bool:
    """Whether the credential of the request is valid now, and not only in memory."""
    if request.identity.kind != "route" or _load(request, bearer_token(request) or ""):
        return True
    forget(request)
    return False


def forget(request: Any) -> None:
    _memory(request).pop(request.identity.token_digest, None)


def _memory(request: Any) -> dict[bytes, Identity]:
    memory: dict[bytes, Identity] = request.registry["database"].memory.setdefault(_MEMORY, {})
    return memory


def _load(request: Any, token: str) -> Identity | None:
    with request.registry["database"].read() as session:
        return load_route_identity(session, token, request.now)
