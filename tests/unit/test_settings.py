"""Settings: valid ones, invalid ones, and their error messages."""

import dataclasses
from pathlib import Path
from typing import get_origin, get_type_hints

import pytest

from incidentrelay.settings.declaration import KEYS, Settings
from incidentrelay.settings.key import ConfigurationError, Key
from incidentrelay.settings.loading import load

SECRET = "k3y-that-is-long-enough-for-a-secret-0123456789"
INI = {
    "incidentrelay.public_url": "https://relay.example/",
    "incidentrelay.secret_key": SECRET,
    "incidentrelay.sqlalchemy.url": "sqlite:////var/lib/relay.sqlite",
    "incidentrelay.huey.url": "redis://localhost/0",
    "pyramid.includes": "something of others",
}


def test_the_table_and_the_class_name_the_same_settings() -> None:
    assert [key.field for key in KEYS] == [field.name for field in dataclasses.fields(Settings)]


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("smtp_host", "smtp.host"),
        ("public_url", "public_url"),
        ("intake_max_body", "intake.max_body"),
    ],
)
def test_a_key_takes_its_name_from_its_field(field: str, name: str) -> None:
    key = next(key for key in KEYS if key.field == field)
    assert key.name == name
    assert key.env == f"INCIDENTRELAY_{field.upper()}"


@pytest.mark.parametrize(
    "key", [key for key in KEYS if key.default is not None], ids=lambda key: key.name
)
def test_a_default_has_the_declared_type(key: Key) -> None:
    declared = get_type_hints(Settings)[key.field]
    assert isinstance(getattr(load(INI, {}), key.field), get_origin(declared) or declared)


def test_defaults_and_types() -> None:
    settings = load(INI, {})
    assert settings.public_url == "https://relay.example"
    assert settings.smtp_port == 587
    assert settings.outbound_allowed_networks == ()


def test_the_environment_wins() -> None:
    environ = {
        "INCIDENTRELAY_SQLALCHEMY_URL": "postgresql+psycopg://db/relay",
        "INCIDENTRELAY_OUTBOUND_ALLOWED_NETWORKS": "10.0.0.0/8 fd00::/8",
        "PATH": "/bin",
    }
    settings = load(INI, environ)
    assert settings.sqlalchemy_url == "postgresql+psycopg://db/relay"
    assert [str(network) for network in settings.outbound_allowed_networks] == [
        "10.0.0.0/8",
        "fd00::/8",
    ]


@pytest.mark.parametrize("by", ["ini", "environment"])
def test_secrets_can_come_from_files(by: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    ini = {name: value for name, value in INI.items() if not name.endswith("secret_key")}
    if by == "ini":
        settings = load({**ini, "incidentrelay.secret_key_file": str(file)}, {})
    else:
        settings = load(ini, {"INCIDENTRELAY_SECRET_KEY_FILE": str(file)})
    assert settings.secret_key == SECRET


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("public_url", "relay.example", "expected the URL that browsers use"),
        ("public_url", "https://relay.example/?a=b", "expected a URL without username"),
        ("secret_key", "short", "expected at least 32 characters"),
        ("secret_key", "a" * 64, "expected at least 32 characters"),
        ("secret_key", "", "is not set"),
        ("sqlalchemy.url", "mysql://x", "expected sqlite:///FILE"),
        ("huey.url", "amqp://x", "expected sqlite:///FILE, redis"),
        ("smtp.port", "0", "a whole number from 1 to 65535"),
        ("smtp.security", "ssl", "expected one of: starttls, tls, none"),
        ("smtp.sender", "nobody", "expected an address"),
        ("outbound_allowed_networks", "10.0.0.1/8", "host bits"),
        ("worker.threads", "many", "a whole number"),
    ],
)
def test_a_wrong_value_is_refused_by_name(key: str, value: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load({**INI, f"incidentrelay.{key}": value}, {})
    assert f"incidentrelay.{key}" in str(caught.value)
    assert sentence in str(caught.value)


def test_a_missing_secret_says_how_to_make_one() -> None:
    ini = {name: value for name, value in INI.items() if not name.endswith("secret_key")}
    with pytest.raises(ConfigurationError, match="token_urlsafe"):
        load(ini, {})


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"incidentrelay\.smpt\.host"):
        load({**INI, "incidentrelay.smpt.host": "mail"}, {})
    with pytest.raises(ConfigurationError, match="INCIDENTRELAY_SMPT_HOST"):
        load(INI, {"INCIDENTRELAY_SMPT_HOST": "mail"})


def test_secrets_are_in_no_message() -> None:
    settings = load(INI, {})
    assert SECRET not in repr(settings)
    with pytest.raises(ConfigurationError) as caught:
        load({**INI, "incidentrelay.secret_key": "hunter2"}, {})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("key", ["huey.url", "sqlalchemy.url", "public_url"])
def test_passwords_in_urls_are_in_no_message(key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load({**INI, f"incidentrelay.{key}": "postgres://relay:hunter2@db/relay"}, {})
    assert f"incidentrelay.{key} is invalid: expected" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_the_queue_may_be_in_postgresql(scheme: str) -> None:
    url = f"{scheme}://relay:hunter2@db/relay"
    assert load({**INI, "incidentrelay.huey.url": url}, {}).huey_url == url


def test_a_secret_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot read the file"):
        load(INI, {"INCIDENTRELAY_SMTP_PASSWORD_FILE": str(tmp_path / "none")})
