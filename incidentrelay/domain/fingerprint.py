"""Identity keys: the same problem always gets the same key, a different one another."""

import hashlib
from collections.abc import Mapping, Sequence, Set

MAX_KEY = 255

_FNV_OFFSET = 14695981039346656037
_FNV_PRIME = 1099511628211
_SEPARATOR = b"\xff"


def fingerprint(labels: Mapping[str, str], without: Set[str] = frozenset()) -> str:
    """Alertmanager's fingerprint of ``labels``: 16 hexadecimal digits.

    64-bit FNV-1a over names (in byte order) and values, each followed by a byte that
    never occurs in UTF-8. Ignores labels named in ``without`` and empty ones, because an
    empty label is no label.
    """
    pairs = sorted(
        (_utf8(name), _utf8(value))
        for name, value in labels.items()
        if value and name not in without
    )
    code = _FNV_OFFSET
    for pair in pairs:
        for text in pair:
            for byte in text + _SEPARATOR:
                code = ((code ^ byte) * _FNV_PRIME) & 0xFFFFFFFFFFFFFFFF
    return f"{code:016x}"


def group_key(labels: Mapping[str, str], group_by: Sequence[str], dedup_key: str) -> str:
    """The key of the alert, within its route, that a signal belongs to; at most 255 characters.

    With an empty ``group_by`` it is ``dedup_key`` (already bounded), so every signal has
    its own alert. Otherwise it is ``name=value,name=value`` sorted by name, without
    repetitions; missing labels are empty. Commas, equals signs and backslashes are
    escaped, so different values never share a key.
    """
    if not group_by:
        return dedup_key
    names = sorted(set(group_by))
    return bounded_key(",".join(f"{_plain(n)}={_plain(labels.get(n, ''))}" for n in names))


def bounded_key(text: str) -> str:
    """``text`` if it has at most 255 characters, else ``sha256:`` and its hash."""
    if len(text) <= MAX_KEY:
        return text
    return "sha256:" + hashlib.sha256(_utf8(text)).hexdigest()


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
