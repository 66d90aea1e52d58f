"""Errors as pages."""

import logging
import re
from typing import Any

import pytest
from pyramid.httpexceptions import HTTPRequestEntityTooLarge
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.exc import StaleDataError

from incidentrelay.services.alerts import actions as alert_actions
from incidentrelay.services.alerts import list_queries as alert_list
from tests.support import factories


@pytest.mark.parametrize("path", ["/nothing", "/alerts/999999", "/alerts/x", "/groups/secret/x"])
def test_what_is_not_there(browse: Any, path: str) -> None:
    page = browse("ann").get(path, status=404)
    assert page.content_type == "text/html"
    assert "Not found" in page.text
    assert "Sign out" in page.text


def test_a_stranger_learns_nothing_of_what_is_there(testapp: Any, cast: Any) -> None:
    there = testapp.get(f"/alerts/{cast.teams['core'].alert.id}")
    assert there.status_int == 303
    assert testapp.get("/nothing", status=404).text.count("Sign out") == 0


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (RuntimeError("secret detail"), 500, "Something went wrong on our side"),
        (OperationalError("SELECT secret", {}, Exception("secret")), 503, "not available"),
        (StaleDataError("secret"), 409, "Somebody else changed this"),
    ],
)
def test_trouble_is_a_page_with_a_number_that_is_in_the_log(
    browse: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    status: int,
    said: str,
) -> None:
    def fail(*_args: Any) -> Any:
        raise error

    client = browse("ann")
    monkeypatch.setattr(alert_list, "list_alerts", fail)
    with caplog.at_level(logging.INFO, logger="incidentrelay"):
        page = client.get("/alerts", status=status)
    assert said in page.text
    assert "secret" not in page.text
    number = re.search(r"<code>([0-9a-f]{32})</code>", page.text)
    assert number is not None
    assert number[1] in {getattr(record, "error_id", "") for record in caplog.records}


def test_a_constraint_that_refuses_is_a_page_too(
    browse: Any, alert_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def twin(session: Any, *_args: Any, **_more: Any) -> None:
        factories.user(session, "ann")

    monkeypatch.setattr(alert_actions, "comment", twin)
    page = browse("ann").post(f"/alerts/{alert_id}/comment", {"text": "x"}, status=409)
    assert "Somebody else changed this" in page.text
    assert re.search(r'Alerts <span class="ir-count">1</span>', page.text)


def test_what_http_itself_refuses_is_a_page_too(
    browse: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any) -> Any:
        raise HTTPRequestEntityTooLarge("It is too large.")

    client = browse("ann")
    monkeypatch.setattr(alert_list, "list_alerts", fail)
    page = client.get("/alerts", status=413)
    assert "It is too large." in page.text


def test_a_file_is_no_text(browse: Any, alert_id: int) -> None:
    files = [("text", "a.txt", b"hello")]
    answer = browse("ann").post(f"/alerts/{alert_id}/comment", upload_files=files)
    assert "This must be text." in answer.follow().text


def test_without_a_database_there_is_still_a_page(
    browse: Any, monkeypatch: pytest.MonkeyPatch, app: Any
) -> None:
    def fail() -> Any:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    client = browse("ann")
    monkeypatch.setattr(app.registry["database"], "read", fail)
    page = client.get("/alerts", status=503)
    assert "Temporarily unavailable" in page.text
    assert page.headers["Retry-After"] == "30"


def test_the_two_faces_do_not_mix(browse: Any) -> None:
    client = browse("ann")
    assert client.get("/api/nothing", status=404).content_type == "application/problem+json"
    assert client.get("/api/login", status=404).content_type == "application/problem+json"
    assert client.get("/nothing", status=404).content_type == "text/html"
