"""Incoming JSON: nothing in it causes an internal error later."""

import json as stdlib
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.web.api.toolkit import json as body_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"NaN",
        b'{"a": Infinity}',
        b"[-Infinity]",
        b"1e400",
        b"[-1e999]",
        b"1" * 5000,
        b"-" + b"1" * 301,
        b"\xff",
        b'"\xed\xa0\x80"',
        b"[" * 33 + b"]" * 33,
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000,
        b"{'a': 1}",
        b'"a" "b"',
    ],
)
def test_invalid_json_is_rejected(raw: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        body_json.decode(raw)
    assert list(caught.value.errors) == [body_json.BODY]


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"[" * 32 + b"]" * 32, None),
        (b'"a\\u0000b"', "ab"),
        (b'"\\ud800"', "\ufffd"),
        (b'"\\udc00x\\ud83d\\ude00"', "\ufffdx😀"),
        (b'{"\\u0000k\\ud800": "v"}', {"k\ufffd": "v"}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"\xef\xbb\xbf1", 1),
        (b"1.5e3", 1500.0),
        (b"12345678901234567890", 12345678901234567890),
    ],
)
def test_unsafe_text_is_replaced(raw: bytes, value: Any) -> None:
    decoded = body_json.decode(raw)
    assert value is None or decoded == value


def test_intake_takes_bytes_that_are_not_utf_8() -> None:
    assert body_json.decode(b'"caf\xe9"', lenient=True) == "caf\ufffd"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'[{"v": 1e400}, {"v": 1}]', [{"v": "1e400"}, {"v": 1}]),
        (b"[-1e999, 2.5]", ["-1e999", 2.5]),
        (b"[" + b"1" * 400 + b"]", ["1" * 400]),
        (b"[NaN, -Infinity]", ["NaN", "-Infinity"]),
        (b"[1, " + b"[" * 32 + b"]" * 33, None),
    ],
)
def test_intake_keeps_what_is_around_an_odd_value(raw: bytes, value: Any) -> None:
    decoded = body_json.decode(raw, lenient=True)
    assert value is None or decoded == value
    assert len(decoded) == len(value or [1, 2])


@given(VALUES)
def test_everything_else_passes_unchanged_but_for_nul(value: Any) -> None:
    text = stdlib.dumps(value).replace("\\u0000", "")
    try:
        expected = stdlib.loads(text)
    except ValueError:
        return
    assert body_json.decode(text.encode()) == expected


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_invalid_input(raw: bytes) -> None:
    for lenient in (False, True):
        try:
            value = body_json.decode(raw, lenient=lenient)
        except InvalidInput:
            continue
        assert not isinstance(value, float) or math.isfinite(value)
        stdlib.dumps(value).encode()
