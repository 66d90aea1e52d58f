"""All settings in one table, validated at startup.

Keys stand in the ini file under ``incidentrelay.``; each can be overridden by the
environment as ``INCIDENTRELAY_<KEY>`` (dots become underscores), and each secret
can come from a file: ``<key>_file`` in the ini or ``INCIDENTRELAY_<KEY>_FILE``.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PREFIX = "incidentrelay."
ENV_PREFIX = "INCIDENTRELAY_"
PUBLIC_KEY = "development-only"
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_OWN_VARIABLES = frozenset({"INCIDENTRELAY_CONFIG"})

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ConfigurationError(Exception):
    """The program cannot start; the message names the key and says what to do."""


@dataclass(frozen=True, slots=True)
class Key:
    """One setting. ``default`` None means that it must be set."""

    name: str
    parse: Callable[[str], Any]
    default: str | None
    doc: str
    secret: bool = False
    hint: str = ""

    @property
    def env(self) -> str:
        return ENV_PREFIX + self.name.upper().replace(".", "_")

    @property
    def field(self) -> str:
        return self.name.replace(".", "_")


def _text(value: str) -> str:
    return value


def _flag(value: str) -> bool:
    words = {"true": True, "yes": True, "on": True, "1": True}
    words |= {"false": False, "no": False, "off": False, "0": False}
    if value.lower() not in words:
        raise ValueError("write true or false")
    return words[value.lower()]


def _number(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not re.fullmatch(r"\d{1,12}", value) or not low <= int(value) <= high:
            raise ValueError(f"write a whole number from {low} to {high}")
        return int(value)

    return parse


def _days(value: str) -> int:
    """0, or long enough that sources can still reopen alerts."""
    days = _number(0, 36_500)(value)
    if days == 1:
        raise ValueError("write 0, which is for ever, or at least 2")
    return days


def _choice(*words: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in words:
            raise ValueError(f"write one of: {', '.join(words)}")
        return value

    return parse


def _public_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("write the address that people's browsers use, like https://relay.example")
    if parts.query or parts.fragment or parts.username:
        raise ValueError("leave out user name, query and fragment")
    return value.rstrip("/")


def _secret_key(value: str) -> str:
    if len(value) < 32 or len(set(value)) < 8:
        raise ValueError("it is too short or too simple")
    return value


def _metrics_token(value: str) -> str:
    if value and not re.fullmatch(r"[!-~]{16,200}", value):
        raise ValueError("write 16 to 200 letters, digits and signs, without blanks")
    return value


def _database_url(value: str) -> str:
    if not re.match(r"(sqlite|postgresql\+psycopg)://", value):
        raise ValueError("write sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE")
    return value


def _huey_url(value: str) -> str:
    if not re.match(r"(sqlite:///|rediss?://|unix://|memory:)", value):
        raise ValueError("write sqlite:///FILE or redis://HOST:6379/0")
    return value


def _networks(value: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(word) for word in re.split(r"[\s,]+", value) if word)


def _sender(value: str) -> str:
    if not re.fullmatch(r"[^@\r\n]*[^@\s]+@[^@\s>]+>?", value):
        raise ValueError("write an address, like IncidentRelay <pager@relay.example>")
    return value


KEYS: tuple[Key, ...] = (
    Key(
        "public_url",
        _public_url,
        None,
        "Where people reach the console; every link begins with it.",
    ),
    Key(
        "secret_key",
        _secret_key,
        None,
        "Signs links and encrypts channel secrets. Keep it; changing it voids both.",
        secret=True,
        hint="Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'",
    ),
    Key("sqlalchemy.url", _database_url, None, "The database."),
    Key("huey.url", _huey_url, None, "The queue's store: an SQLite file of its own, or Redis."),
    Key("smtp.host", _text, "", "The mail server; empty: no e-mail is sent."),
    Key("smtp.port", _number(1, 65535), "587", "The mail server's port."),
    Key(
        "smtp.security",
        _choice("starttls", "tls", "none"),
        "starttls",
        "How the mail server is spoken to.",
    ),
    Key("smtp.username", _text, "", "Name to sign in with at the mail server; empty: none."),
    Key("smtp.password", _text, "", "Password for the mail server.", secret=True),
    Key(
        "smtp.sender",
        _sender,
        "IncidentRelay <incidentrelay@localhost>",
        "The From address of all mail.",
    ),
    Key(
        "outbound_allowed_networks",
        _networks,
        "",
        "Networks (CIDR, separated by spaces) that webhooks may reach although they are private.",
    ),
    Key("outbound_timeout", _number(1, 60), "10", "Seconds that one delivery may take in all."),
    Key(
        "intake.max_body",
        _number(1024, 64 * 2**20),
        str(5 * 2**20),
        "Bytes of the largest body taken in.",
    ),
    Key("intake.max_items", _number(1, 100_000), "10000", "Items of the largest body taken in."),
    Key(
        "intake.keep_body",
        _number(0, 2**20),
        "65536",
        "Bytes of each body that are kept to be looked at.",
    ),
    Key(
        "reminder_interval_minimum",
        _number(1, 3600),
        "60",
        "Seconds; no rotation may remind more often. Lower it only for drills.",
    ),
    Key(
        "session.idle",
        _number(60, 31_536_000),
        "604800",
        "Seconds without use after which a browser is signed out.",
    ),
    Key(
        "session.lifetime",
        _number(60, 31_536_000),
        "2592000",
        "Seconds after which a browser is signed out in any case.",
    ),
    Key(
        "act_link_lifetime",
        _number(60, 31_536_000),
        "604800",
        "Seconds that the links in messages can be used.",
    ),
    Key(
        "delivery.lease",
        _number(2, 3600),
        "60",
        "Seconds after which a delivery whose worker died is tried again.",
    ),
    Key(
        "delivery.max_attempts",
        _number(1, 100),
        "12",
        "Tries after which a notification has failed.",
    ),
    Key(
        "worker.threads", _number(1, 64), "8", "Deliveries that one worker makes at the same time."
    ),
    Key(
        "worker.sweep_interval",
        _number(1, 60),
        "60",
        "Seconds between two looks for everything that is due.",
    ),
    Key(
        "sqlite.synchronous",
        _choice("FULL", "NORMAL", "OFF"),
        "FULL",
        "SQLite's safety against loss of power.",
    ),
    Key(
        "database.pool", _number(1, 100), "10", "Connections that one process keeps to PostgreSQL."
    ),
    Key(
        "retention.alerts",
        _days,
        "365",
        "Days that resolved alerts are kept, with all that is about them; 0: for ever.",
    ),
    Key(
        "retention.attempts",
        _days,
        "90",
        "Days that the single tries of deliveries and tests of channels are kept; 0: for ever.",
    ),
    Key(
        "retention.intake",
        _days,
        "30",
        "Days that requests of sources are kept, with their bodies; 0: for ever.",
    ),
    Key("retention.audit", _days, "730", "Days that the audit log is kept; 0: for ever."),
    Key(
        "metrics.token",
        _metrics_token,
        "",
        "Token that /metrics asks for; empty: only this machine may read it, and not by a proxy.",
        secret=True,
        hint="Make one with: incidentrelay generate-secret",
    ),
    Key("log.level", _choice("debug", "info", "warning", "error"), "info", "What is logged."),
    Key("log.format", _choice("json", "text"), "json", "How a line of the log looks."),
)


@dataclass(frozen=True)
class Settings:
    """The validated settings; names use underscores (``smtp_host``)."""

    public_url: str
    secret_key: str
    sqlalchemy_url: str
    huey_url: str
    smtp_host: str
    smtp_port: int
    smtp_security: str
    smtp_username: str
    smtp_password: str
    smtp_sender: str
    outbound_allowed_networks: tuple[Network, ...]
    outbound_timeout: int
    intake_max_body: int
    intake_max_items: int
    intake_keep_body: int
    reminder_interval_minimum: int
    session_idle: int
    session_lifetime: int
    act_link_lifetime: int
    delivery_lease: int
    delivery_max_attempts: int
    worker_threads: int
    worker_sweep_interval: int
    sqlite_synchronous: str
    database_pool: int
    retention_alerts: int
    retention_attempts: int
    retention_intake: int
    retention_audit: int
    metrics_token: str
    log_level: str
    log_format: str

    def __repr__(self) -> str:
        """Secrets stay out of logs and tracebacks."""
        return f"<Settings {self.public_url}>"


def load(ini: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """The settings of an ini file's section, overridden by the environment.

    Raises ConfigurationError for a key that is unknown, wrong or missing.
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
            f"{PREFIX}secret_key is the one of development.ini, which everybody knows."
            " Make one with: incidentrelay generate-secret"
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
        shown = "" if key.secret else f" {raw!r}"
        sentence = f"{PREFIX}{key.name}{shown} cannot be used: {error}."
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
