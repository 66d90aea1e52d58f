"""The token in the Authorization header."""

from typing import Any

from incidentrelay.services.access.secrets import TokenKind, token_kind

_KINDS = (TokenKind.USER, TokenKind.ROUTE)


def bearer_token(request: Any) -> str | None:
    """The token in the Authorization header; None without the header.

    Any other scheme counts as an invalid token.
    """
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token_kind(token) in _KINDS else ""
