import argon2
import pytest

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.services.access import passwords


@pytest.mark.parametrize(
    "password", ["correct horse", "ünïcödé-pässwörd", "x1" * 512, "a\ud800bcdefgh"]
)
def test_a_password_is_verified(password: str) -> None:
    stored = passwords.hash_password(passwords.check_password(password, "ann"))
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert len(stored) <= 255
    assert passwords.verify(stored, password)
    assert not passwords.verify(stored, password + "x")
    assert not passwords.needs_rehash(stored)


@pytest.mark.parametrize("stored", [None, "", "nonsense"])
def test_without_a_hash_every_password_is_wrong(stored: str | None) -> None:
    assert not passwords.verify(stored, "whatever it is")
    assert not passwords.verify(stored, "x" * 2000)


def test_the_dummy_hash_matches_no_password() -> None:
    assert not passwords.verify(None, "nobody has this password, and verify() says so")


def test_weaker_hashes_are_replaced() -> None:
    assert passwords.needs_rehash(argon2.PasswordHasher(time_cost=1, memory_cost=64).hash("x"))


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "x" * 1025,
        "Ann-Margret",
        "tergram-nna",
        "Password123",
        "aaaaaaaaaaaa",
        None,
        12345678,
    ],
)
def test_bad_passwords(password: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        passwords.check_password(
            password, "ann-margret" if password != "terg@ram-nna" else "ann-m@rgret"
        )
    assert list(caught.value.errors) == ["password"]
