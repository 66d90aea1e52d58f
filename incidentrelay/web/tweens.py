"""What every answer gets, whoever made it."""

from collections.abc import Callable
from typing import Any

from pyramid_sanity.exceptions import SanityException

from incidentrelay.web.api import errors
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
HSTS = "max-age=31536000; includeSubDomains"

Handler = Callable[[Any], Any]


def headers(handler: Handler, registry: Any) -> Handler:
    """Security headers, where the view has not set them itself, and the request's id."""
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
    """Addresses that are not UTF-8 get a problem document on the API's face."""

    def tween(request: Any) -> Any:
        response = handler(request)
        path = request.environ.get("PATH_INFO", "")
        if isinstance(response, SanityException) and path.startswith("/api/"):
            return errors.http_error(response, request)
        return response

    return tween
