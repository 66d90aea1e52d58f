"""Sentences that the next page shows once, kept in a signed cookie for a minute.

The signature covers the session they are for, so nobody can plant one in
somebody else's browser.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal

from itsdangerous import BadSignature, URLSafeSerializer
from pyramid.request import RequestLocalCache

from incidentrelay.services.access.keys import derive_key
from incidentrelay.web.security.sessions import is_https, session_cookie

Kind = Literal["success", "info", "warning", "error"]

LIFETIME = timedelta(minutes=1)
_MOST, _LONGEST = 5, 300


class Flashes:
    """Writes and reads the cookie; one for each application."""

    def __init__(self, secret_key: str, *, secure: bool) -> None:
        self._key = derive_key(secret_key, "flash")
        self._secure = secure
        # Not in the environ, which a second attempt of the same request inherits.
        self._waiting = RequestLocalCache()
        self.name = "__Host-incidentrelay-flash" if secure else "incidentrelay-flash"

    def add(self, request: Any, text: str, kind: Kind) -> None:
        waiting: list[list[str]] = self._waiting.get(request, [])
        if not waiting:
            self._waiting.set(request, waiting)
            request.add_response_callback(self._write)
        waiting.append([kind, text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"])

    def take(self, request: Any) -> Sequence[tuple[str, str]]:
        """The waiting (kind, text) pairs, which are removed from the browser."""
        cookie = request.cookies.get(self.name)
        if not cookie:
            return ()
        request.add_response_callback(self._delete)
        try:
            at, pairs = self._serializer(request).loads(cookie)
        except (BadSignature, UnicodeError, ValueError):
            return ()
        age = request.now.timestamp() - at
        return [(kind, text) for kind, text in pairs] if 0 <= age <= LIFETIME.seconds else ()

    def _write(self, request: Any, response: Any) -> None:
        pairs = self._waiting.get(request, [])[-_MOST:]
        value = self._serializer(request).dumps([int(request.now.timestamp()), pairs])
        response.set_cookie(
            self.name,
            value if isinstance(value, str) else value.decode("ascii"),
            max_age=LIFETIME,
            secure=self._secure,
            httponly=True,
            samesite="Lax",
            path="/",
        )

    def _delete(self, request: Any, response: Any) -> None:
        if not self._waiting.get(request, []):
            response.delete_cookie(self.name, path="/")

    def _serializer(self, request: Any) -> URLSafeSerializer:
        bound_to = hashlib.sha256(session_cookie(request).encode()).hexdigest()
        return URLSafeSerializer(
            self._key,
            salt=f"flash {bound_to}",
            signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
        )


def flash(request: Any, text: str, kind: Kind = "success") -> None:
    """Show ``text`` at the top of the next page."""
    request.registry["flashes"].add(request, text, kind)


def includeme(config: Any) -> None:
    settings = config.registry["settings"]
    config.registry["flashes"] = Flashes(settings.secret_key, secure=is_https(settings))
