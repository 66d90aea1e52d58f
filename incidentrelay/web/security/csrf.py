"""Protects against cross-site request forgery.

Only requests without an Authorization header are checked, because browsers add cookies
automatically but never tokens. The CSRF token is an HMAC of the session cookie or, before
signing in, of a separate random cookie, which protects the sign-in form.
"""

import hmac
import secrets
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from pyramid.interfaces import ICSRFStoragePolicy
from pyramid.request import RequestLocalCache
from zope.interface import implementer

from incidentrelay.services.access.keys import derive_key
from incidentrelay.settings.declaration import Settings
from incidentrelay.web.security.sessions import is_https, session_cookie

_HEX = frozenset("0123456789abcdef")


def needs_check(request: Any) -> bool:
    """The callback of Pyramid's automatic check."""
    return "Authorization" not in request.headers


@implementer(ICSRFStoragePolicy)
class CSRFPolicy:
    def __init__(self, settings: Settings) -> None:
        self._key = derive_key(settings.secret_key, "csrf")
        self._name = "__Host-incidentrelay-csrf" if is_https(settings) else "incidentrelay-csrf"
        self._secure = is_https(settings)
        self._origin = _origin(settings.public_url)
        self._new_cookies = RequestLocalCache()

    def new_csrf_token(self, request: Any) -> str:
        """A new token. It changes only for browsers that are not signed in."""
        if session_cookie(request):
            return self.get_csrf_token(request)
        return self._sign(self._new_cookie(request))

    def get_csrf_token(self, request: Any) -> str:
        return self._sign(session_cookie(request) or self._own_cookie(request))

    def check_csrf_token(self, request: Any, supplied_token: str) -> bool:
        if not self._same_site(request):
            return False
        bound_to = session_cookie(request) or self._sent_cookie(request)
        if not bound_to:
            return False
        return hmac.compare_digest(self._sign(bound_to).encode(), supplied_token.encode())

    def _sign(self, bound_to: str) -> str:
        return hmac.new(self._key, bound_to.encode(), sha256).hexdigest()

    def _sent_cookie(self, request: Any) -> str:
        value = request.cookies.get(self._name, "")
        return value if len(value) == 64 and set(value) <= _HEX else ""

    def _own_cookie(self, request: Any) -> str:
        cookie = self._new_cookies.get(request, "")
        return cookie or self._sent_cookie(request) or self._new_cookie(request)

    def _new_cookie(self, request: Any) -> str:
        value = secrets.token_hex(32)
        self._new_cookies.set(request, value)

        def set_cookie(_request: Any, response: Any) -> None:
            response.set_cookie(
                self._name, value, secure=self._secure, httponly=True, samesite="Lax", path="/"
            )

        request.add_response_callback(set_cookie)
        return value

    def _same_site(self, request: Any) -> bool:
        """Whether the browser states that the request comes from this site."""
        site = request.headers.get("Sec-Fetch-Site")
        if site is not None:
            return site in {"same-origin", "none"}
        origin = request.headers.get("Origin")
        return origin is None or _origin(origin) in {self._origin, _origin(request.host_url)}


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", "", None
    return parts.scheme, parts.hostname or "", port
