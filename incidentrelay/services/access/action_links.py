"""Signs and verifies links in messages that let one person act on one alert."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from itsdangerous import BadSignature, URLSafeSerializer

from incidentrelay.domain.errors import NotAllowed

_CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ActLink:
    """The contents of a signed link.

    Callers must still check that the person is active, has not changed credentials since
    ``signed_at``, and may respond to the alert.
    """

    alert_id: int
    user_id: int
    signed_at: datetime


def sign_act(key: bytes, alert_id: int, user_id: int, now: datetime) -> str:
    """Sign a URL-safe link token; ``key`` is derived for this purpose only."""
    return _serializer(key).dumps([alert_id, user_id, int(now.timestamp())])


def read_act(key: bytes, token: str, now: datetime, lifetime: timedelta) -> ActLink:
    """Verify a link token; raises NotAllowed if it is invalid or expired."""
    try:
        if not token.isascii():
            raise BadSignature("Only ASCII is signed.")
        alert_id, user_id, at = _serializer(key).loads(token)
    except BadSignature:
        raise NotAllowed("This link is incomplete. Open the alert in the console.") from None
    signed_at = datetime.fromtimestamp(at, UTC)
    if not now - lifetime <= signed_at <= now + _CLOCK_SKEW:
        raise NotAllowed("This link has expired. Open the alert in the console.")
    return ActLink(alert_id=alert_id, user_id=user_id, signed_at=signed_at)


def _serializer(key: bytes) -> URLSafeSerializer:
    return URLSafeSerializer(
        key, salt="act", signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    )
