from incidentrelay.services.access.keys import derive_key


def test_each_purpose_has_its_own_key() -> None:
    keys = {derive_key("k" * 40, purpose) for purpose in ("vault", "act", "csrf")}
    assert len(keys) == 3
    assert {len(key) for key in keys} == {32}


def test_a_key_is_stable_and_depends_on_the_secret() -> None:
    assert derive_key("k" * 40, "act") == derive_key("k" * 40, "act")
    assert derive_key("k" * 40, "act") != derive_key("l" * 40, "act")
