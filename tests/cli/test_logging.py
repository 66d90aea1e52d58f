"""Log lines: their format, the request's id, and redacted secrets."""

import io
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from incidentrelay import log_setup as own
from incidentrelay.services.access.secrets import TokenKind, new_token
from incidentrelay.settings.declaration import Settings

Log = Callable[..., io.StringIO]


@pytest.fixture
def log_to(settings: Settings) -> Log:
    """Configure logging with changed settings; returns the stream of its lines."""

    def configured(**changes: Any) -> io.StringIO:
        stream = io.StringIO()
        own.configure(replace(settings, **changes), stream)
        return stream

    return configured


def test_a_line_of_json_has_all_parts(log_to: Log) -> None:
    stream = log_to(log_format="json")
    with structlog.contextvars.bound_contextvars(request_id="req-1"):
        logging.getLogger("incidentrelay.some").warning("Alert %s is “late”", 7, extra={"team": 3})
    line = json.loads(stream.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "message": "Alert 7 is “late”",
        "level": "warning",
        "logger": "incidentrelay.some",
        "request_id": "req-1",
        "team": 3,
    }


def test_a_line_of_text_has_the_same(log_to: Log) -> None:
    stream = log_to(log_format="text")
    with structlog.contextvars.bound_contextvars(request_id="req-1"):
        logging.getLogger("incidentrelay.some").info("Alert %s", 7)
    line = stream.getvalue()
    for part in ("info", "Alert 7", "incidentrelay.some", "request_id=req-1"):
        assert part in line
    assert "\x1b" not in line


def test_structlog_goes_the_same_way(log_to: Log) -> None:
    stream = log_to(log_format="json")
    structlog.get_logger("incidentrelay.other").info("Hello", token=new_token(TokenKind.USER))
    line = json.loads(stream.getvalue())
    assert (line["message"], line["token"]) == ("Hello", "ir_u_[redacted]")


@pytest.mark.parametrize("form", ["json", "text"])
def test_tracebacks_have_no_values_of_variables(log_to: Log, form: str) -> None:
    stream = log_to(log_format=form)
    try:
        password = "hunter2-hunter2"
        raise LookupError("something broke") if password else RuntimeError
    except LookupError:
        logging.getLogger("x").exception("It failed")
    text = stream.getvalue()
    assert "LookupError: something broke" in text
    assert "test_logging.py" in text
    assert "hunter2-hunter2'" not in text


def test_the_level_is_that_of_the_settings(log_to: Log) -> None:
    stream = log_to(log_level="warning")
    logging.getLogger("x").info("quiet")
    logging.getLogger("x").warning("loud")
    assert "quiet" not in stream.getvalue()
    assert "loud" in stream.getvalue()


@pytest.mark.parametrize("level", ["debug", "info"])
def test_the_http_client_is_silent_at_every_level(log_to: Log, level: str) -> None:
    stream = log_to(log_level=level)
    for name in ("httpx2", "httpcore2.connection"):
        logging.getLogger(name).info("POST https://hooks.example/services/T0/B0/secret")
    assert stream.getvalue() == ""


def test_configuring_twice_does_not_double_the_lines(log_to: Log) -> None:
    log_to()
    stream = log_to()
    logging.getLogger("x").warning("once")
    assert stream.getvalue().count("once") == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GET /act/eyJ1IjoxfQ.aGk_-9 HTTP/1.1", "GET /act/[redacted] HTTP/1.1"),
        ("https://r.example/act/abc?x=1", "https://r.example/act/[redacted]?x=1"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer [redacted]"),
        ("authorization: Basic dXNlcjpwdw==", "authorization: Basic [redacted]"),
        ("{'Authorization': 'Bearer abcdef'}", "{'Authorization': 'Bearer [redacted]'}"),
        ('{"Authorization": "abcdef"}', '{"Authorization": "[redacted]"}'),
        ("('Authorization', 'Bearer xyz')", "('Authorization', 'Bearer [redacted]')"),
        (r"{\"Authorization\": \"Bearer abc\"}", r"{\"Authorization\": \"Bearer [redacted]\"}"),
        ("postgresql://u:p4ss@db/x", "postgresql://u:[redacted]@db/x"),
        ("redis://:p4ss@cache:6379/0", "redis://:[redacted]@cache:6379/0"),
        ("sent bearer abcdefghijklmnop", "sent bearer [redacted]"),
        ("The action is in /actions", "The action is in /actions"),
        ("https://relay.example:8080/alerts@now", "https://relay.example:8080/alerts@now"),
        ("Two-factor authorization is on", "Two-factor authorization is on"),
    ],
)
def test_secrets_are_cut_and_the_rest_stays(text: str, expected: str) -> None:
    assert own.redact(text) == expected


@given(st.sampled_from(TokenKind), st.text(max_size=20), st.sampled_from(" =\"':/\n,"))
def test_no_token_survives_in_any_surroundings(kind: TokenKind, before: str, edge: str) -> None:
    token = new_token(kind)
    assert token[5:] not in own.redact(f"{before}{edge}{token}{edge}{before}")
