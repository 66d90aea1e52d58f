"""Keys for single purposes, derived from the installation's one secret key."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derive_key(secret_key: str, purpose: str) -> bytes:
    """32 bytes that belong to ``purpose`` alone (``vault``, ``act``, ``csrf`` …)."""
    return HKDF(algorithm=SHA256(), length=32, salt=b"incidentrelay", info=purpose.encode()).derive(
        secret_key.encode()
    )
