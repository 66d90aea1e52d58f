"""Generates random tokens and the hashes stored for them.

A token is ``ir_<kind>_`` with 32 random bytes and a checksum, so that secret scanners
recognise it and typos are rejected without the database. Its entropy makes one unsalted
SHA-256 sufficient.
"""

import hashlib
import re
import secrets
import zlib
from base64 import urlsafe_b64encode
from enum import StrEnum

_TOKEN = re.compile(r"(ir_([ursf])_[A-Za-z0-9_-]{43})([0-9a-f]{8})", re.ASCII)


class TokenKind(StrEnum):
    """USER: a personal token. ROUTE: a route's intake token. SESSION: a browser's cookie.

    FEED: the URL of a calendar feed; it opens nothing else.
    """

    USER = "u"
    ROUTE = "r"
    SESSION = "s"
    FEED = "f"


def new_token(kind: str) -> str:
    """A new token of ``kind`` (a TokenKind or its letter)."""
    random = urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
    body = f"ir_{TokenKind(kind)}_{random}"
    return body + _checksum(body)


def token_kind(token: str) -> TokenKind | None:
    """The kind of a token, or None if it is malformed."""
    parts = _TOKEN.fullmatch(token)
    if parts is None or _checksum(parts[1]) != parts[3]:
        return None
    return TokenKind(parts[2])


def token_digest(token: str) -> bytes:
    """The 32-byte hash that is stored and looked up instead of ``token``."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def token_hint(token: str) -> str:
    """The start of ``token``, so that its owner can recognise it."""
    return token[:9]


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
