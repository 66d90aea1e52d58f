"""Reads request bodies and checks their size and type."""

from typing import Any

from pyramid.httpexceptions import HTTPRequestEntityTooLarge, HTTPUnsupportedMediaType

from incidentrelay.web.api.toolkit import json

# Larger than any resource of the API; intake has its own limit in the settings.
MAX_BODY = 2**20
_PIECE = 64 * 1024


def read(request: Any, limit: int) -> bytes:
    """The body, at most ``limit`` bytes, even without a Content-Length.

    Raises HTTPRequestEntityTooLarge before holding more than the limit in memory.
    """
    if request.content_length is not None and request.content_length > limit:
        raise too_large(limit)
    if not request.is_body_readable:
        return b""
    source, pieces, size = request.body_file, [], 0
    if request.is_body_seekable:
        # A retried request has already been read.
        request.body_file_raw.seek(0)
    while piece := source.read(min(_PIECE, limit + 1 - size)):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise too_large(limit)
    return b"".join(pieces)


def require_json(request: Any) -> None:
    """Raise HTTPUnsupportedMediaType unless the body is uncompressed JSON."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise HTTPUnsupportedMediaType("Send the body without compression.")
    media_type = request.content_type.lower()
    if media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        raise HTTPUnsupportedMediaType("Send JSON, with Content-Type: application/json.")


def json_body(request: Any, limit: int = MAX_BODY) -> Any:
    """The decoded body; raises like :mod:`incidentrelay.web.api.toolkit.json`."""
    require_json(request)
    return json.decode(read(request, limit))


def too_large(limit: int, what: str = "bytes") -> HTTPRequestEntityTooLarge:
    return HTTPRequestEntityTooLarge(f"A body has at most {limit} {what}.")
