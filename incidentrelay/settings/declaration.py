"""Every setting: its name, type, parser, default and documentation."""

from dataclasses import dataclass, replace
from typing import Annotated, get_type_hints

from incidentrelay.settings import parsers
from incidentrelay.settings.key import Key
from incidentrelay.settings.parsers import Network


@dataclass(frozen=True)
class Settings:
    """Validated settings. ``smtp_host`` is ``smtp.host`` in the ini file."""

    public_url: Annotated[
        str,
        Key(parsers.public_url, None, "Base URL of the console, used in every link."),
    ]
    secret_key: Annotated[
        str,
        Key(
            parsers.secret_key,
            None,
            "Signs links and encrypts channel secrets; changing it invalidates both.",
            secret=True,
            hint="Generate one: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'",
        ),
    ]
    sqlalchemy_url: Annotated[str, Key(parsers.database_url, None, "URL of the database.")]
    huey_url: Annotated[
        str,
        Key(
            parsers.huey_url,
            None,
            "URL of the queue's store: a separate SQLite file, Redis, or a PostgreSQL database.",
        ),
    ]
    smtp_host: Annotated[str, Key(str, "", "Mail server. If empty, no e-mail is sent.")]
    smtp_port: Annotated[int, Key(parsers.number(1, 65535), "587", "Port of the mail server.")]
    smtp_security: Annotated[
        str,
        Key(
            parsers.choice("starttls", "tls", "none"),
            "starttls",
            "Encryption of the connection to the mail server.",
        ),
    ]
    smtp_username: Annotated[str, Key(str, "", "Username for the mail server. If empty, no login.")]
    smtp_password: Annotated[str, Key(str, "", "Password for the mail server.", secret=True)]
    smtp_sender: Annotated[
        str,
        Key(
            parsers.sender,
            "IncidentRelay <incidentrelay@localhost>",
            "From address of all e-mail.",
        ),
    ]
    outbound_allowed_networks: Annotated[
        tuple[Network, ...],
        Key(
            parsers.networks,
            "",
            "Private networks that webhooks may reach (CIDR, separated by spaces).",
        ),
    ]
    outbound_timeout: Annotated[
        int, Key(parsers.number(1, 60), "10", "Total timeout of one delivery, in seconds.")
    ]
    intake_max_body: Annotated[
        int,
        Key(parsers.number(1024, 64 * 2**20), str(5 * 2**20), "Largest accepted body, in bytes."),
    ]
    intake_max_items: Annotated[
        int, Key(parsers.number(1, 100_000), "10000", "Most items accepted in one body.")
    ]
    intake_keep_body: Annotated[
        int,
        Key(parsers.number(0, 2**20), "65536", "Bytes stored of each body, for troubleshooting."),
    ]
    reminder_interval_minimum: Annotated[
        int,
        Key(
            parsers.number(1, 3600),
            "60",
            "Shortest reminder interval of rotations, in seconds. Lower it only for drills.",
        ),
    ]
    session_idle: Annotated[
        int,
        Key(
            parsers.number(60, 31_536_000),
            "604800",
            "Idle time after which a browser is signed out, in seconds.",
        ),
    ]
    session_lifetime: Annotated[
        int,
        Key(
            parsers.number(60, 31_536_000),
            "2592000",
            "Time after which a browser is signed out even if in use, in seconds.",
        ),
    ]
    act_link_lifetime: Annotated[
        int,
        Key(
            parsers.number(60, 31_536_000),
            "604800",
            "Validity of action links in messages, in seconds.",
        ),
    ]
    delivery_lease: Annotated[
        int,
        Key(
            parsers.number(2, 3600),
            "60",
            "Longest time until the delivery of a dead worker is retried, in seconds.",
        ),
    ]
    delivery_max_attempts: Annotated[
        int, Key(parsers.number(1, 100), "12", "Attempts after which a notification fails.")
    ]
    worker_threads: Annotated[
        int, Key(parsers.number(1, 64), "8", "Concurrent deliveries of one worker.")
    ]
    worker_sweep_interval: Annotated[
        int,
        Key(parsers.number(1, 60), "60", "Seconds between two sweeps for overdue work."),
    ]
    sqlite_synchronous: Annotated[
        str,
        Key(
            parsers.choice("FULL", "NORMAL", "OFF"),
            "FULL",
            "SQLite's PRAGMA synchronous; only FULL survives a power failure.",
        ),
    ]
    database_pool: Annotated[
        int, Key(parsers.number(1, 100), "10", "PostgreSQL connections of one process.")
    ]
    database_lock_timeout: Annotated[
        int,
        Key(
            parsers.number(1, 60),
            "5",
            "PostgreSQL: seconds to wait for a row that another transaction has locked."
            " A request then answers 503 with Retry-After.",
        ),
    ]
    database_statement_timeout: Annotated[
        int,
        Key(
            parsers.number(1, 3600),
            "20",
            "PostgreSQL: seconds that one statement may take. Migrations and pruning may"
            " take longer.",
        ),
    ]
    database_idle_timeout: Annotated[
        int,
        Key(
            parsers.number(1, 3600),
            "15",
            "PostgreSQL: seconds after which a transaction that does nothing is ended, so"
            " that a frozen machine loses its locks.",
        ),
    ]
    database_connect_timeout: Annotated[
        int, Key(parsers.number(2, 60), "5", "PostgreSQL: seconds that connecting may take.")
    ]
    retention_alerts: Annotated[
        int,
        Key(
            parsers.days,
            "365",
            "Days to keep resolved alerts and their data; 0: forever.",
        ),
    ]
    retention_attempts: Annotated[
        int,
        Key(
            parsers.days,
            "90",
            "Days to keep delivery attempts and channel tests; 0: forever.",
        ),
    ]
    retention_intake: Annotated[
        int,
        Key(
            parsers.days,
            "30",
            "Days to keep intake requests and their bodies; 0: forever.",
        ),
    ]
    retention_audit: Annotated[
        int, Key(parsers.days, "730", "Days to keep the audit log; 0: forever.")
    ]
    metrics_token: Annotated[
        str,
        Key(
            parsers.metrics_token,
            "",
            "Token that /metrics requires. If empty, only this machine may read it,"
            " and not through a proxy.",
            secret=True,
            hint="Generate one: incidentrelay generate-secret",
        ),
    ]
    log_level: Annotated[
        str, Key(parsers.choice("debug", "info", "warning", "error"), "info", "Lowest log level.")
    ]
    log_format: Annotated[str, Key(parsers.choice("json", "text"), "json", "Format of log lines.")]

    def __repr__(self) -> str:
        """Keep secrets out of logs and tracebacks."""
        return f"<Settings {self.public_url}>"


KEYS: tuple[Key, ...] = tuple(
    replace(hint.__metadata__[0], field=field)
    for field, hint in get_type_hints(Settings, include_extras=True).items()
)
