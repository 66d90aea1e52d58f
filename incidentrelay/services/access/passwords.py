"""Passwords: the rules for new ones, and their argon2id hashes."""

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.services.common import limits

MINIMUM, MAXIMUM = limits.PASSWORD

_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
# Each hash takes 19 MiB: limit parallel hashing so that sign-ins cannot exhaust memory.
_SLOTS = threading.BoundedSemaphore(4)

_COMMON = frozenset(
    """
    00000000 11111111 12121212 12341234 12345678 123456789 1234567890 123123123 11223344
    22222222 66666666 77777777 87654321 88888888 987654321 99999999 abc12345 abcd1234
    abcdefgh admin123 administrator alexander asdfasdf asdfghjkl baseball basketball
    changeme changeme123 changeme1 charlotte computer corvette dragon123 football
    iloveyou incidentrelay internet jennifer letmein1 letmein123 liverpool michelle
    monkey123 p@ssw0rd pa55word passw0rd password password! password1 password12
    password123 password1234 pokemon1 princess q1w2e3r4 qazwsxedc qwer1234 qwerty12
    qwerty123 qwertyui qwertyuiop samantha secret123 starwars sunshine superman test1234
    trustno1 welcome1 welcome123 whatever zaq12wsx zxcvbnm1 zxcvbnm123
    """.split()
)


def check_password(password: object, username: str, field: str = "password") -> str:
    """Return ``password`` if it is acceptable; otherwise raise InvalidInput."""
    if not isinstance(password, str) or not MINIMUM <= len(password) <= MAXIMUM:
        raise InvalidInput.of(field, f"A password has {MINIMUM} to {MAXIMUM} characters.")
    folded = password.casefold()
    if folded in {username.casefold(), username.casefold()[::-1]}:
        raise InvalidInput.of(field, "The password must not be the username.")
    if folded in _COMMON or len(set(password)) == 1:
        raise InvalidInput.of(field, "This password is too common.")
    return password


def hash_password(password: str) -> str:
    """The argon2id hash; takes tens of milliseconds."""
    with _SLOTS:
        return _HASHER.hash(_encoded(password))


def verify(password_hash: str | None, password: str) -> bool:
    """Whether ``password`` is correct. Takes the same time without a hash."""
    if len(password) > MAXIMUM:
        password, password_hash = "", None
    with _SLOTS:
        try:
            matches = _HASHER.verify(password_hash or _dummy(), _encoded(password))
        except (VerificationError, InvalidHashError):
            return False
    return matches and password_hash is not None


def needs_rehash(password_hash: str) -> bool:
    """Whether the hash uses outdated parameters."""
    return _HASHER.check_needs_rehash(password_hash)


@cache
def _dummy() -> str:
    return _HASHER.hash(b"nobody has this password, and verify() says so")


def _encoded(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
