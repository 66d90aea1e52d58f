"""The accepted text: everything that a screen can show."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.domain.text import clean_text, is_line, is_text, shown_text

_CONTROLS = ("Cc", "Cs")
_ANY = st.characters(codec=None)


@pytest.mark.parametrize(
    "text",
    [
        "disk\u00a0full",
        "علی\u200cرضا",
        "👨\u200d👩\u200d👧",
        "Donau\u00addampf",
        "\u200fمرحبا",
        "\u2067الخادم\u2069 db1",
        "\U0001fae9",
        "\ue000",
    ],
)
def test_ordinary_text_of_all_languages_is_taken(text: str) -> None:
    assert is_text(text)
    assert is_line(text)
    assert shown_text(text) == clean_text(text) == text


@given(_ANY)
def test_only_control_characters_and_lone_surrogates_are_refused(char: str) -> None:
    category = unicodedata.category(char)
    assert is_text(f"a{char}b") == (category not in _CONTROLS)
    assert is_line(f"a{char}b") == (category not in (*_CONTROLS, "Zl", "Zp"))
    assert is_text(char, allowed=char)


@given(st.text(_ANY))
def test_what_is_left_of_a_text_can_be_shown_and_stored(text: str) -> None:
    assert is_text(shown_text(text))
    assert (shown_text(text) == text) == is_text(text)
    stored = clean_text(text)
    assert "\x00" not in stored
    stored.encode()
    if is_text(text):
        assert stored == text
