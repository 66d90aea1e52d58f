"""Decodes JSON that others send.

Decoded text is safe for every database: no NUL, no lone surrogates. Numbers are finite
and depth is bounded. The last of duplicate keys wins.

Intake decodes leniently: one odd value must not cost the other alerts of the body.
"""

import json
import math
from collections.abc import Callable
from typing import Any, NoReturn

from incidentrelay import json_text
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.text import clean_text

MAX_DEPTH = 32
TOO_DEEP = "…"
_MAX_DIGITS = 300
BODY = ""
_NUL = b"\\u0000"


def decode(raw: bytes, *, lenient: bool = False) -> Any:
    """The value of a JSON text; raises InvalidInput for the whole body.

    ``lenient`` replaces what it can instead of raising: bytes that are not UTF-8 become U+FFFD,
    numbers that are invalid or too large become text, and values nested too deeply become
    TOO_DEEP.
    """
    try:
        return _decode_plain(raw)
    except ValueError:
        pass  # Odd, or invalid: the slower decoder says which.
    try:
        text = raw.decode("utf-8-sig", errors="replace" if lenient else "strict")
        value = json.loads(
            text,
            parse_constant=str if lenient else _no_number,
            parse_float=_or_text(_float) if lenient else _float,
            parse_int=_or_text(_integer) if lenient else _integer,
        )
        return _clean(value, MAX_DEPTH, lenient)
    except UnicodeDecodeError:
        raise InvalidInput.of(BODY, "The body is not UTF-8.") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        at = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise InvalidInput.of(BODY, f"The body is not JSON: {reason}{at}.") from None


def _decode_plain(raw: bytes) -> Any:
    """The value of a JSON text that needs no cleaning; raises ValueError for others."""
    value = json_text.load_plain(raw)
    if _NUL in raw or not _is_shallow(value, MAX_DEPTH):
        raise ValueError("odd")
    return value


def _is_shallow(value: Any, depth: int) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    elif not isinstance(value, list):
        return True
    return depth > 0 and all(
        _is_shallow(entry, depth - 1) for entry in value if isinstance(entry, dict | list)
    )


def _clean(value: Any, depth: int, lenient: bool) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, (dict, list)) and depth == 0:
        if lenient:
            return TOO_DEEP
        raise _too_deep()
    if isinstance(value, list):
        return [_clean(entry, depth - 1, lenient) for entry in value]
    if isinstance(value, dict):
        return {clean_text(key): _clean(entry, depth - 1, lenient) for key, entry in value.items()}
    return value


def _or_text(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    def parse_or_keep(text: str) -> Any:
        try:
            return parse(text)
        except ValueError:
            return text

    return parse_or_keep


def _too_deep() -> InvalidInput:
    return InvalidInput.of(BODY, f"The body is nested more than {MAX_DEPTH} levels deep.")


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number in JSON")


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("a number is too large")
    return value


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError("a number is too large")
    return int(text)
