import pytest

from incidentrelay.domain.errors import Conflict
from incidentrelay.services.common.secret_box import SecretBox


def test_what_is_sealed_opens_again(vault: SecretBox) -> None:
    values = {"secret": "s€cret", "headers": {"A": "b"}}
    sealed = vault.seal("uid-1", values)
    assert sealed[:1] == b"\x01"
    assert b"secret" not in sealed
    assert vault.open("uid-1", sealed) == values
    assert vault.seal("uid-1", values) != sealed


def test_it_opens_for_no_other_row_and_key(vault: SecretBox) -> None:
    sealed = vault.seal("uid-1", {"secret": "x"})
    with pytest.raises(Conflict):
        vault.open("uid-2", sealed)
    with pytest.raises(Conflict):
        SecretBox(b"k" * 32).open("uid-1", sealed)


@pytest.mark.parametrize("place", [0, 1, 20, -1])
def test_a_changed_byte_is_noticed(vault: SecretBox, place: int) -> None:
    sealed = bytearray(vault.seal("uid-1", {"secret": "x"}))
    sealed[place] ^= 1
    with pytest.raises(Conflict):
        vault.open("uid-1", bytes(sealed))


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + b"n" * 12])
def test_nothing_is_not_a_seal(vault: SecretBox, sealed: bytes) -> None:
    with pytest.raises(Conflict):
        vault.open("uid-1", sealed)


def test_its_key_is_not_shown(vault: SecretBox) -> None:
    assert repr(vault) == "<SecretBox>"
