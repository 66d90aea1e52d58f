"""Encrypts the secrets of channel configurations at rest."""

import json
import os
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from incidentrelay.domain.errors import Conflict

_KEY_ID = b"\x01"
_NONCE = 12


class SecretBox:
    """AES-256-GCM with one key. Sealed values open only for the same ``uid``."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, uid: str, values: Mapping[str, Any]) -> bytes:
        """Key id (1 byte), nonce (12 bytes), ciphertext."""
        nonce = os.urandom(_NONCE)
        text = json.dumps(dict(values), ensure_ascii=False).encode()
        return _KEY_ID + nonce + self._cipher.encrypt(nonce, text, _bound_to(uid))

    def open(self, uid: str, sealed: bytes) -> dict[str, Any]:
        """The sealed values; raises Conflict if the key or the ``uid`` differs."""
        nonce, text = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        try:
            if sealed[:1] != _KEY_ID or len(nonce) != _NONCE:
                raise InvalidTag
            values: dict[str, Any] = json.loads(self._cipher.decrypt(nonce, text, _bound_to(uid)))
        except InvalidTag:
            raise Conflict(
                "The secrets of this channel cannot be read with the current secret key;"
                " enter them again."
            ) from None
        return values

    def __repr__(self) -> str:
        return "<SecretBox>"


def _bound_to(uid: str) -> bytes:
    return f"channel:{uid}".encode()
