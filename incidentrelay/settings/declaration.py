"""Every setting: its name, type, parser, default and documentation."""

from dataclasses import dataclass, replace
from typing import Annotated, get_type_hints

from incidentrelay.settings import parsers
from incidentrelay.settings.key import Key
from incidentrelay.settings.parsers import Network


@dataclass(frozen=True)
class Settings:
    """The validated settings. ``smtp_host`` here is ``smtp.host`` in the ini file."""

    public_url: Annotated[
        str,
        Key(parsers.public_url, None, "Where people reach the console; every link begins with it."),
    ]
    secret_key: Annotated[
        str,
        Key(
            parsers.secret_key,
            None,
            "Signs links and encrypts channel secrets. Keep it; changing it voids both.",
            secret=True,
            hint="Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'",
        ),
    ]
    sqlalchemy_url: Annotated[str, Key(parsers.database_url, None, "The database.")]
    huey_url: Annotated[
        str, Key(parsers.huey_url, None, "The queue's store: an SQLite file of its own, or Redis.")
    ]
    smtp_host: Annotated[str, Key(str, "", "The mail server; empty: no e-mail is sent.")]
    smtp_port: Annotated[int, Key(parsers.number(1, 65535), "587", "The mail server's port.")]
    smtp_security: Annotated[
        str,
        Key(
            parsers.choice("starttls", "tls", "none"),
            "starttls",
            "How the mail server is spoken to.",
        ),
    ]
    smtp_username: Annotated[
        str, Key(str, "", "Name to sign in with at the mail server; empty: none.")
    ]
    smtp_password: Annotated[str, Key(str, "", "Password for the mail server.", secret=True)]
    smtp_sender: Annotated[
        str,
        Key(
            parsers.sender,
            "IncidentRelay <incidentrelay@localhost>",
            "The From address of all mail.",
        ),
    ]
    outbound_allowed_networks: Annotated[
        tuple[Network, ...],
        Key(
            parsers.networks,
            "",
            "Networks (CIDR, separated by spaces) that webhooks may reach"
            " although they are private.",
        ),
    ]
    outbound_timeout: Annotated[
        int, Key(parsers.number(1, 60), "10", "Seconds that one delivery may take in all.")
    ]
    intake_max_body: Annotated[
        int,
        Key(
            parsers.number(1024, 64 * 2**20), str(5 * 2**20), "Bytes of the largest body taken in."
        ),
    ]
    intake_max_items: Annotated[
        int, Key(parsers.number(1, 100_000), "10000", "Items of the largest body taken in.")
    ]
    intake_keep_body: Annotated[
        int,
        Key(parsers.number(0, 2**20), "65536", "Bytes of each body that are kept to be looked at."),
    ]
    reminder_interval_minimum: Annotated[
        int,
        Key(
            parsers.number(1, 3600),
            "60",
            "Seconds; no rotation may remind more often. Lower it only for drills.",
        ),
    ]
    session_idle: Annotated[
        int,
        Key(
            parsers.number(60, 31_536_000),
            "604800",
            "Seconds without use after which a browser is signed out.",
        ),
    ]
    session_lifetime: Annotated[
        int,
        Key(
            parsers.number(60, 31_536_000),
            "2592000",
            "Seconds after which a browser is signed out in any case.",
        ),
    ]
    act_link_lifetime: Annotated[
        int,
        Key(
            parsers.number(60, 31_536_000),
            "604800",
            "Seconds that the links in messages can be used.",
        ),
    ]
    delivery_lease: Annotated[
        int,
        Key(
            parsers.number(2, 3600),
            "60",
            "Seconds after which a delivery whose worker died is tried again.",
        ),
    ]
    delivery_max_attempts: Annotated[
        int, Key(parsers.number(1, 100), "12", "Tries after which a notification has failed.")
    ]
    worker_threads: Annotated[
        int, Key(parsers.number(1, 64), "8", "Deliveries that one worker makes at the same time.")
    ]
    worker_sweep_interval: Annotated[
        int,
        Key(parsers.number(1, 60), "60", "Seconds between two looks for everything that is due."),
    ]
    sqlite_synchronous: Annotated[
        str,
        Key(
            parsers.choice("FULL", "NORMAL", "OFF"),
            "FULL",
            "SQLite's safety against loss of power.",
        ),
    ]
    database_pool: Annotated[
        int, Key(parsers.number(1, 100), "10", "Connections that one process keeps to PostgreSQL.")
    ]
    retention_alerts: Annotated[
        int,
        Key(
            parsers.days,
            "365",
            "Days that resolved alerts are kept, with all that is about them; 0: for ever.",
        ),
    ]
    retention_attempts: Annotated[
        int,
        Key(
            parsers.days,
            "90",
            "Days that the single tries of deliveries and tests of channels are kept; 0: for ever.",
        ),
    ]
    retention_intake: Annotated[
        int,
        Key(
            parsers.days,
            "30",
            "Days that requests of sources are kept, with their bodies; 0: for ever.",
        ),
    ]
    retention_audit: Annotated[
        int, Key(parsers.days, "730", "Days that the audit log is kept; 0: for ever.")
    ]
    metrics_token: Annotated[
        str,
        Key(
            parsers.metrics_token,
            "",
            "Token that /metrics asks for;"
            " empty: only this machine may read it, and not by a proxy.",
            secret=True,
            hint="Make one with: incidentrelay generate-secret",
        ),
    ]
    log_level: Annotated[
        str, Key(parsers.choice("debug", "info", "warning", "error"), "info", "What is logged.")
    ]
    log_format: Annotated[
        str, Key(parsers.choice("json", "text"), "json", "How a line of the log looks.")
    ]

    def __repr__(self) -> str:
        """Secrets stay out of logs and tracebacks."""
        return f"<Settings {self.public_url}>"


KEYS: tuple[Key, ...] = tuple(
    replace(hint.__metadata__[0], field=field)
    for field, hint in get_type_hints(Settings, include_extras=True).items()
)
