"""JSON by orjson, with the standard library for what orjson does not represent."""

import json
import re
from typing import Any

import orjson

# Longer integers would become floats.
_LONG_NUMBER = re.compile(r"\d{19}")
_LONG_NUMBER_BYTES = re.compile(rb"\d{19}")
_STRICT = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


def dump(value: Any) -> str:
    """The text of a JSON column."""
    try:
        return orjson.dumps(value, option=_STRICT).decode()
    except TypeError:
        # Integers beyond 64 bits, keys that are not text, lone surrogates.
        return json.dumps(value)


def load(raw: str | bytes) -> Any:
    """The value of a JSON column; psycopg gives bytes."""
    return json.loads(raw) if _has_long_number(raw) else orjson.loads(raw)


def load_plain(raw: bytes) -> Any:
    """The value of JSON without anything odd; raises ValueError otherwise.

    Its text is UTF-8 without lone surrogates, its numbers are finite and have 18 digits at
    most.
    """
    if _has_long_number(raw):
        raise ValueError("a long number")
    return orjson.loads(raw)


def _has_long_number(raw: str | bytes) -> bool:
    if isinstance(raw, bytes):
        return _LONG_NUMBER_BYTES.search(raw) is not None
    return _LONG_NUMBER.search(raw) is not None
