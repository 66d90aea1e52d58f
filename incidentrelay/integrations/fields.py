"""Tolerant, bounded readers for foreign JSON; they never raise.

Unusable values count as missing, so that one odd field never costs a page. Texts are
truncated to the product's limits with an ellipsis.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from incidentrelay.domain.enums import Severity, SignalStatus
from incidentrelay.domain.fingerprint import bounded_key, fingerprint
from incidentrelay.domain.severity import parse_severity

MAX_TITLE = 255
MAX_DESCRIPTION = 16 * 1024
MAX_LABELS = 128
MAX_LABEL_NAME = 255
MAX_LABEL_VALUE = 1024
MAX_ANNOTATION = 4 * 1024
MAX_LINK = 2048
MAX_NOTE = 1024

NOT_AN_OBJECT = "The item is not a JSON object."
EMPTY = "The item is empty."

_RESOLVED_WORDS = frozenset(
    {"resolved", "resolve", "ok", "okay", "closed", "close", "recovered", "recovery"}
    | {"cleared", "clear", "inactive", "normal"}
)
# Fields that differ between the firing and the resolving message of one problem.
_MOMENTARY = frozenset({"status", "state", "action", "endsAt", "ends_at"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def json_text(value: Any) -> str:
    """Strings unchanged, anything else as JSON text with sorted keys."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def json_object(value: Any) -> Mapping[str, Any]:
    """``value`` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def text_map(value: Any) -> dict[str, str]:
    """An object's pairs as texts, including null; empty if it is not an object."""
    return {name: json_text(item) for name, item in json_object(value).items() if name}


def annotation_map(value: Any) -> dict[str, str]:
    """:func:`text_map` without nulls, which would hide values from other fields."""
    return text_map({k: item for k, item in json_object(value).items() if item is not None})


def first_text(item: Mapping[str, Any], *names: str) -> str:
    """The first non-empty value of the named fields, stripped.

    Null, false, and empty objects or arrays count as empty.
    """
    for name in names:
        value = item.get(name)
        silent = value is None or value is False or value in ([], {})
        text = "" if silent else json_text(value).strip()
        if text:
            return text
    return ""


def clip(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def one_line(text: str) -> str:
    """``text`` with every run of white space as one space."""
    return " ".join(text.split())


def instant(value: Any) -> datetime | None:
    """An RFC 3339 text as an aware UTC time, or None if it is not usable.

    Fractions are truncated to microseconds. Times without an offset or before 1970 (Go
    writes the year 1 for "not set") are not usable.
    """
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value.strip())
        moment = None if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment is not None and moment >= _EPOCH else None


def web_link(*candidates: Any) -> str | None:
    """The first candidate that is an absolute http or https address.

    Anything else (``javascript:``, ``data:``, relative paths) could harm people who click it in
    the console or a chat.
    """
    for candidate in candidates:
        text = candidate.strip() if isinstance(candidate, str) else ""
        if _is_web_address(text):
            return text
    return None


def _is_web_address(text: str) -> bool:
    if not text or len(text) > MAX_LINK or any(c <= " " or c in '\x7f<>"\\' for c in text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def status_of(word: str) -> SignalStatus:
    """Firing, unless ``word`` is a vendor's term for resolved."""
    over = word.strip().casefold() in _RESOLVED_WORDS
    return SignalStatus.RESOLVED if over else SignalStatus.FIRING


def team_of(item: Mapping[str, Any], labels: Mapping[str, Any]) -> str | None:
    """The slug of the requested team, from a field or a label."""
    team = first_text(item, "team") or first_text(labels, "team", "oncall_team")
    return clip(team, MAX_LABEL_NAME) or None


def identity(own: str, labels: Mapping[str, str], title: str, item: Any, index: int) -> str:
    """The dedup key of ``item``, from the best available identifier.

    The sender's ``own`` key; else all ``labels`` but the severity and empty ones; else the
    ``title``; else its content and position, which make it a separate problem.
    """
    if own:
        return bounded_key(own)
    if any(value and name != "severity" for name, value in labels.items()):
        return f"labels:{fingerprint(labels, without={'severity'})}"
    if title:
        return bounded_key(f"title:{title}")
    content = {name: value for name, value in item.items() if name not in _MOMENTARY}
    canonical = json.dumps([index, content], sort_keys=True, separators=(",", ":"))
    return f"item:{hashlib.sha256(canonical.encode()).hexdigest()}"


def severity_and_labels(
    word: str, labels: Mapping[str, str], severity: Severity | None = None
) -> tuple[Severity, dict[str, str]]:
    """The severity that ``word`` means, and the bounded labels that go with it.

    The sender's labels are unchanged. ``severity`` is added if the sender put it elsewhere,
    and ``source_severity`` if its word is not ours. The argument ``severity`` is given if
    the caller already knows what ``word`` means.
    """
    level = severity or parse_severity(word or None)
    # Reserve two labels for the ones added here.
    bounded = _bounded(labels, MAX_LABELS - 2, MAX_LABEL_VALUE)
    if word:
        bounded["severity"] = bounded.get("severity") or level.value
        if word.casefold() != level.value:
            bounded["source_severity"] = clip(word, MAX_LABEL_VALUE)
    return level, bounded


def bounded_annotations(annotations: Mapping[str, str]) -> dict[str, str]:
    return _bounded(annotations, MAX_LABELS, MAX_ANNOTATION)


def _bounded(pairs: Mapping[str, str], count: int, length: int) -> dict[str, str]:
    """At most ``count`` pairs, independent of their order in the payload."""
    kept = pairs if len(pairs) <= count else {name: pairs[name] for name in sorted(pairs)[:count]}
    return {clip(name, MAX_LABEL_NAME): clip(value, length) for name, value in kept.items()}
