"""Configures logging: one line per record, as JSON or text, without secrets.

Everything logs through the standard library; structlog only formats the lines. Values in
``structlog.contextvars`` (``request_id``) are added to every line of a request.
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

# Each keeps the text before the secret, so the line can still be understood.
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
# They log each request's URL, and the URL of a webhook is a secret.
_SILENT = ("httpx2", "httpcore2")
# Huey logs a useless line per task; the runner logs the results.
_CHATTY = ("huey", "alembic")


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Configure logging to ``stream`` (default: standard error) from the settings."""
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
    """Mask tokens, Authorization headers, passwords in URLs and action links."""
    for pattern, kept in _SECRETS:
        text = pattern.sub(kept, text)
    return text


class JSONFormatter(logging.Formatter):
    """For ``[formatter_…]`` sections of an ini file; ignores their format."""

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
    # Plain tracebacks, because structlog's own show local variables.
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
