import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.services.access.secrets import (
    TokenKind,
    new_token,
    token_digest,
    token_hint,
    token_kind,
)


@pytest.mark.parametrize("kind", TokenKind)
def test_the_prefix_of_a_token_is_its_kind(kind: TokenKind) -> None:
    token = new_token(kind)
    assert token.startswith(f"ir_{kind}_")
    assert token_kind(token) is kind
    assert token_hint(token) == token[:9]
    assert len(token_digest(token)) == 32


def test_tokens_differ() -> None:
    assert len({new_token("u") for _ in range(100)}) == 100


def test_other_kinds_do_not_exist() -> None:
    with pytest.raises(ValueError, match="x"):
        new_token("x")


@given(st.integers(0, 55), st.characters())
def test_a_mistyped_token_is_detected(place: int, char: str) -> None:
    token = new_token("r")
    mistyped = token[:place] + char + token[place + 1 :]
    assert (token_kind(mistyped) is None) == (mistyped != token)


@pytest.mark.parametrize("text", ["", "ir_u_", "\ud800", "ir_u_" + "a" * 51, "Bearer x"])
def test_any_text_can_be_checked(text: str) -> None:
    assert token_kind(text) is None
    assert len(token_digest(text)) == 32
