"""Loads the settings from the ini file and the environment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from incidentrelay.settings.declaration import KEYS, Settings
from incidentrelay.settings.key import ENV_PREFIX, PREFIX, ConfigurationError, Key

PUBLIC_KEY = "development-only"
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_OWN_VARIABLES = frozenset({"INCIDENTRELAY_CONFIG"})


def load(ini: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """Load the settings of an ini section; the environment overrides them.

    Raises ConfigurationError for an unknown, invalid or missing key.
    """
    _refuse_unknown(ini, environ)
    settings = Settings(**{key.field: _value(key, ini, environ) for key in KEYS})
    _refuse_public_key(settings)
    return settings


def _refuse_public_key(settings: Settings) -> None:
    """Reject the key from development.ini, which is public."""
    host = urlsplit(settings.public_url).hostname
    if settings.secret_key.startswith(PUBLIC_KEY) and host not in _THIS_MACHINE:
        raise ConfigurationError(
            f"{PREFIX}secret_key is the public one from development.ini."
            " Generate one: incidentrelay generate-secret"
        )


def _refuse_unknown(ini: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    names = {key.name for key in KEYS} | {f"{key.name}_file" for key in KEYS if key.secret}
    variables = {key.env for key in KEYS} | {f"{key.env}_FILE" for key in KEYS if key.secret}
    for name in ini:
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in names:
            raise ConfigurationError(f"There is no setting {name}; see docs/configuration.md.")
    for name in environ:
        if name.startswith(ENV_PREFIX) and name not in variables | _OWN_VARIABLES:
            raise ConfigurationError(
                f"The environment sets {name}, but there is no such setting;"
                " see docs/configuration.md."
            )


def _value(key: Key, ini: Mapping[str, Any], environ: Mapping[str, str]) -> Any:
    raw = _raw(key, ini, environ)
    if raw is None or (key.default is None and not raw.strip()):
        sentence = f"{PREFIX}{key.name} is not set (or {key.env} in the environment). {key.doc}"
        raise ConfigurationError(f"{sentence} {key.hint}".strip())
    try:
        return key.parse(raw.strip())
    except ValueError as error:
        # A URL may contain a password.
        hidden = key.secret or (key.field.endswith("url") and "@" in raw)
        shown = "" if hidden else f" {raw!r}"
        sentence = f"{PREFIX}{key.name}{shown} is invalid: {error}."
        raise ConfigurationError(f"{sentence} {key.hint}".strip()) from None


def _raw(key: Key, ini: Mapping[str, Any], environ: Mapping[str, str]) -> str | None:
    if key.env in environ:
        return environ[key.env]
    if key.secret and f"{key.env}_FILE" in environ:
        return _read(key, environ[f"{key.env}_FILE"])
    if key.secret and f"{PREFIX}{key.name}_file" in ini:
        return _read(key, str(ini[f"{PREFIX}{key.name}_file"]))
    value = ini.get(PREFIX + key.name, key.default)
    return None if value is None else str(value)


def _read(key: Key, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{PREFIX}{key.name}: cannot read the file {path}: {error}."
        ) from None
