"""Signatures of the Standard Webhooks specification 1.0.0 (HMAC-SHA256, "v1")."""

import base64
import hashlib
import hmac
import secrets

_PREFIX = "whsec_"
_KEY_BYTES = 32


def new_secret() -> str:
    """A fresh signing secret."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii")


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of ``webhook-signature``. ``timestamp`` is in seconds since 1970.

    Raises ValueError for an invalid ``secret``.
    """
    signed = f"{message_id}.{timestamp}.".encode("ascii") + body
    digest = hmac.digest(_key(secret), signed, hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode("ascii")


def check_secret(secret: str) -> None:
    """Raises ValueError if ``secret`` cannot sign."""
    _key(secret)


def _key(secret: str) -> bytes:
    if not secret.startswith(_PREFIX):
        raise ValueError("A secret begins with whsec_.")
    key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    if not 24 <= len(key) <= 64:
        raise ValueError("A secret holds 24 to 64 bytes.")
    return key
