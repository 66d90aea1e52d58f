"""Reads credentials from requests, and writes the session cookie."""

import logging
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from webob.cookies import CookieProfile

from incidentrelay.services.access.identity import (
    Identity,
    Lifetimes,
    load_identity,
    record_use,
)
from incidentrelay.services.access.secrets import TokenKind, token_kind
from incidentrelay.settings.declaration import Settings
from incidentrelay.web.security.bearer import bearer_token
from incidentrelay.web.security.route_tokens import find_route, is_intake

log = logging.getLogger(__name__)

# A use is recorded only if the last recorded one is older than this.
TOUCH_AFTER = timedelta(minutes=5)


def is_https(settings: Settings) -> bool:
    return settings.public_url.startswith("https://")


def cookie_name(settings: Settings) -> str:
    """The cookie's name. Over HTTPS, the prefix ``__Host-`` limits it to this host."""
    return "__Host-incidentrelay" if is_https(settings) else "incidentrelay"


def session_cookie(request: Any) -> str:
    """The value of the request's session cookie; empty if there is none."""
    value = request.cookies.get(cookie_name(request.registry["settings"]), "")
    return value if token_kind(value) is TokenKind.SESSION else ""


def identify(request: Any) -> Identity | None:
    """The identity of a request. A bearer token takes precedence over a cookie, even if invalid."""
    if is_intake(request):
        return find_route(request)
    token = bearer_token(request)
    credential = session_cookie(request) if token is None else token
    if not credential:
        return None
    settings: Settings = request.registry["settings"]
    lives = Lifetimes(
        timedelta(seconds=settings.session_idle), timedelta(seconds=settings.session_lifetime)
    )
    with request.registry["database"].read() as session:
        identity = load_identity(session, credential, request.now, lives)
    if identity is not None and _is_stale(identity, request.now, lives):
        request.add_finished_callback(_touch)
    return identity


def cookie_headers(request: Any, value: str | None) -> list[tuple[str, str]]:
    """Headers that set the session cookie, or delete it if ``value`` is None."""
    settings: Settings = request.registry["settings"]
    profile = CookieProfile(
        cookie_name(settings),
        secure=is_https(settings),
        max_age=settings.session_lifetime,
        httponly=True,
        samesite="Lax",
        path="/",
        serializer=_Plain(),
    )
    # Without a domain, the cookie is limited to this host.
    headers: list[tuple[str, str]] = profile.get_headers(value, domains=[None])  # type: ignore[list-item]
    return headers


def _is_stale(identity: Identity, now: datetime, lives: Lifetimes) -> bool:
    if identity.kind == "route":
        return False
    return identity.seen_at is None or identity.seen_at < now - min(TOUCH_AFTER, lives.idle / 4)


def _touch(request: Any) -> None:
    """Record the last use, after the request's own transaction has ended."""
    try:
        with request.registry["database"].write() as session:
            record_use(session, request.identity, request.now)
    except SQLAlchemyError:
        log.warning("Could not record the use of a session or token.", exc_info=True)


class _Plain:
    """A serializer for cookie values that are tokens: letters, digits and ``-_``."""

    def dumps(self, value: str | None) -> bytes:
        return (value or "").encode("ascii")

    def loads(self, value: bytes) -> str:
        return value.decode("ascii")
