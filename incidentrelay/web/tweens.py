"""Tweens: security headers, the request's id, and a 400 for malformed URLs."""

from collections.abc import Callable
from typing import Any

from pyramid.httpexceptions import HTTPBadRequest
from pyramid_sanity.exceptions import SanityException

from incidentrelay.web.api.toolkit import errors
from incidentrelay.web.security.sessions import is_https

CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_NUL = "The URL contains a NUL character (%00)."
HSTS = "max-age=31536000; includeSubDomains"

Handler = Callable[[Any], Any]


def headers(handler: Handler, registry: Any) -> Handler:
    """Add the request's id, and the security headers that the view has not set itself."""
    always = dict(HEADERS)
    if is_https(registry["settings"]):
        always["Strict-Transport-Security"] = HSTS

    def tween(request: Any) -> Any:
        response = handler(request)
        for name, value in always.items():
            response.headers.setdefault(name, value)
        response.headers["X-Request-Id"] = request.id
        return response

    return tween


def bad_requests(handler: Handler, _registry: Any) -> Handler:
    """Answer 400 to URLs that are not UTF-8 or that databases reject.

    Under /api it is a problem document.
    """

    def tween(request: Any) -> Any:
        path, query = (request.environ.get(name, "") for name in ("PATH_INFO", "QUERY_STRING"))
        has_nul = "\x00" in path or "%00" in query
        response = HTTPBadRequest(_NUL) if has_nul else handler(request)
        bad = has_nul or isinstance(response, SanityException)
        return errors.http_error(response, request) if bad and _is_api(path) else response

    return tween


def _is_api(path: str) -> bool:
    return path.startswith("/api/") or path == "/api"
