"""Cleaning text by strangers."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from incidentrelay.channels.render import block, moment, one_line, quoted, render, web_link


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        ("  a \t b\r\n c ", "a b c"),
        ("a\x00b\x1b[31m", "a b [31m"),
        ("a\u2028b\x85c", "a b c"),
        ("\u202eabc\u202c \u2066d\u2069", "abc d"),
        ("\ud800", "\ufffd"),
        ("سيرفر", "سيرفر"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_one_line(text: str, line: str) -> None:
    assert one_line(text) == line


@given(st.text(max_size=400), st.integers(1, 50))
def test_one_line_is_one_bounded_line(text: str, longest: int) -> None:
    line = one_line(text, longest)
    assert len(line) <= longest
    assert len(line.splitlines()) <= 1
    assert not {unicodedata.category(character) for character in line} & {"Cc", "Cs", "Zl", "Zp"}
    assert one_line(line, longest) == line


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("\n\na\n\n  b\n", "a\n\n  b"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\x00b  \n", "a b"),
        ("abcdef" * 1000, ("abcdef" * 1000)[:3999] + "…"),
    ],
)
def test_block(text: str, kept: str) -> None:
    assert block(text) == kept


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://wiki.example/a?b=c", "https://wiki.example/a?b=c"),
        ("http://10.0.0.1:3000/", "http://10.0.0.1:3000/"),
        (None, None),
        ("", None),
        ("javascript:alert(1)", None),
        ("JaVaScRiPt:alert(1)", None),
        ("\x01javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("//evil.example", None),
        ("/relative", None),
        ("https://bank.example@evil.example/", None),
        ("https://a.example/\u202egnp", None),
    ],
)
def test_web_link(url: str | None, link: str | None) -> None:
    assert web_link(url) == link


@pytest.mark.parametrize(
    ("iso", "shown"),
    [
        ("2026-03-01T09:29:00+00:00", "2026-03-01 09:29 UTC"),
        ("2026-03-01T09:29:00Z", "2026-03-01 09:29 UTC"),
        ("2026-03-01T09:29:00+02:00", "2026-03-01 07:29 UTC"),
        ("2026-03-01T09:29:00", "2026-03-01 09:29 UTC"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
        ("yesterday\n", "yesterday"),
        ("", ""),
    ],
)
def test_moment(iso: str, shown: str) -> None:
    assert moment(iso) == shown


def test_quoted() -> None:
    assert quoted("a\n\nb") == "> a\n>\n> b"


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render("email", "subject")
