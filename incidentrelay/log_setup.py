"""How the program logs: one line per record, as JSON or as text, without secrets.

Everything logs through the standard library; structlog only shapes the lines. What
``structlog.contextvars`` holds (``request_id``) is on every line of that request.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import Processor

from incidentrelay.settings.declaration import Settings

MASK = "[redacted]"

# Each keeps what comes before the secret, so that the line can still be understood.
_SECRETS = (
    (re.compile(r"\b(ir_[ursf]_)[A-Za-z0-9_-]+"), rf"\1{MASK}"),
    (re.compile(r"(/act/)[A-Za-z0-9_.~%=-]+"), rf"\1{MASK}"),
    (re.compile(r"(://[^\s/:@\"']*:)[^\s/@\"']+@"), rf"\1{MASK}@"),
    (re.compile(r"(?i)\b(bearer\s+)[A-Za-z0-9._~+/=-]{12,}"), rf"\1{MASK}"),
    (
        re.compile(
            r"(?i)(authorization[\\\"']*\s*[:=,]\s*[\\\"']*(?:(?:basic|bearer|token|digest)\s+)?)"
            r"(?!(?:basic|bearer|token|digest)\s)[^\s\\\"',}\])]+"
        ),
        rf"\1{MASK}",
    ),
)
# They log each request with its address, and a webhook's address is its secret.
_SILENT = ("httpx2", "httpcore2")
# One line for every task that was run says nothing; the runner logs what was done.
_CHATTY = ("huey", "alembic")


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Log to ``stream`` (by default standard error) as the settings say."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    coloured = stream.isatty()
    handler.setFormatter(formatter(settings.log_format, coloured=coloured))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(settings.log_level.upper())
    for name in _SILENT:
        logging.getLogger(name).setLevel(logging.WARNING)
    if settings.log_level != "debug":
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    _configure_structlog()


def formatter(form: str, *, coloured: bool = False) -> logging.Formatter:
    """The formatter for ``form``: json or text."""
    return ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[
            ProcessorFormatter.remove_processors_meta,
            *(_text(coloured) if form == "text" else _json()),
            _redacted,
        ],
    )


def redact(text: str) -> str:
    """``text`` without tokens, Authorization headers, passwords in addresses and act links."""
    for pattern, kept in _SECRETS:
        text = pattern.sub(kept, text)
    return text


class JSONFormatter(logging.Formatter):
    """For the ``[formatter_…]`` section of an ini file; the format it is given is not used."""

    def __init__(self, *_args: Any, **_options: Any) -> None:
        super().__init__()
        self._inner = formatter("json")

    def format(self, record: logging.LogRecord) -> str:
        return self._inner.format(record)


def _configure_structlog() -> None:
    structlog.configure(
        processors=[*_shared(), ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def _json() -> list[Processor]:
    # The plain traceback: structlog's own one would show local variables.
    return [
        structlog.processors.format_exc_info,
        structlog.processors.EventRenamer("message"),
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
    ]


def _text(coloured: bool) -> list[Processor]:
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=coloured, exception_formatter=plain)]


def _redacted(_logger: Any, _method: str, line: MutableMapping[str, Any] | str) -> str:
    return redact(str(line))
