"""Identities: the same problem always gets the same key, another one never does."""

import hashlib
from collections.abc import Mapping, Sequence, Set

MAX_KEY = 255

_FNV_OFFSET = 14695981039346656037
_FNV_PRIME = 1099511628211
_SEPARATOR = b"\xff"


def fingerprint(labels: Mapping[str, str], without: Set[str] = frozenset()) -> str:
    """Alertmanager's fingerprint of ``labels`` as 16 hexadecimal digits.

    FNV-1a of 64 bits over the names in byte order, each name and value followed
    by a byte that UTF-8 never has. Labels named in ``without`` do not count.
    """
    pairs = sorted(
        (_utf8(name), _utf8(value)) for name, value in labels.items() if name not in without
    )
    code = _FNV_OFFSET
    for pair in pairs:
        for text in pair:
            for byte in text + _SEPARATOR:
                code = ((code ^ byte) * _FNV_PRIME) & 0xFFFFFFFFFFFFFFFF
    return f"{code:016x}"


def group_key(labels: Mapping[str, str], group_by: Sequence[str], dedup_key: str) -> str:
    """Which alert of its route a signal belongs to, in at most 255 characters.

    With an empty ``group_by`` every signal is an alert of its own: ``dedup_key``
    (which is bounded already). Otherwise ``name=value,name=value`` by name, so
    that neither the order nor a repetition in ``group_by`` matters. Commas,
    equals signs and backslashes are escaped, so that different values never make
    the same key. A missing label counts as empty.
    """
    if not group_by:
        return dedup_key
    names = sorted(set(group_by))
    return bounded_key(",".join(f"{_plain(n)}={_plain(labels.get(n, ''))}" for n in names))


def bounded_key(text: str) -> str:
    """``text`` itself where it has at most 255 characters, else ``sha256:`` and its hash."""
    if len(text) <= MAX_KEY:
        return text
    return "sha256:" + hashlib.sha256(_utf8(text)).hexdigest()


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
