"""Decodes and encodes the API's JSON."""

from typing import Any

import orjson

from incidentrelay.integrations.json_text import BODY, MAX_DEPTH, TOO_DEEP, decode

__all__ = ["BODY", "MAX_DEPTH", "TOO_DEEP", "decode", "encode"]


def encode(value: Any) -> bytes:
    return orjson.dumps(value)
