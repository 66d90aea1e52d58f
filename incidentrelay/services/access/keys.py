"""Derives single-purpose keys from the installation's secret key."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derive_key(secret_key: str, purpose: str) -> bytes:
    """Derive a 32-byte key for ``purpose`` (``vault``, ``act``, ``csrf`` …)."""
    return HKDF(algorithm=SHA256(), length=32, salt=b"incidentrelay", info=purpose.encode()).derive(
        secret_key.encode()
    )
