"""Import of a calendar over HTTP."""

from datetime import datetime
from typing import Any

import pytest

from incidentrelay.transport.http import Response
from tests.support.calendars import calendar, event

TEXT = calendar(
    event("DTSTART:20260312T090000Z", "DTEND:20260313T090000Z", "SUMMARY:On call (Tara)")
)


@pytest.fixture
def address(core: str) -> str:
    return f"{core}/rotations/primary/import"


def test_an_import_is_previewed_and_then_applied(login_as: Any, address: str) -> None:
    rex = login_as("rex")
    report = rex.post_json(address, {"text": TEXT}, status=200).json
    assert report == {
        "applied": False,
        "overrides": [
            {
                "action": "create",
                "user": "tara",
                "starts_at": "2026-03-12T09:00:00Z",
                "ends_at": "2026-03-13T09:00:00Z",
                "summary": "On call (Tara)",
            }
        ],
        "problems": [],
    }
    folder = address.replace("import", "overrides")
    before = len(rex.get(folder).json["items"])
    assert rex.post_json(address, {"text": TEXT, "dry_run": False}).json["applied"] is True
    assert rex.post_json(address, {"text": TEXT, "dry_run": False}).json["applied"] is True
    assert len(rex.get(folder).json["items"]) == before + 1


def test_only_those_who_may_override_may_import(
    login_as: Any, testapp: Any, with_token: Any, address: str
) -> None:
    for who, status in (("vera", 403), ("otto", 404), ("tara", 200), ("gail", 200)):
        login_as(who).post_json(address, {"text": TEXT}, status=status)
    testapp.post_json(address, {"text": TEXT}, status=401)
    with_token("resources:read").post_json(address, {"text": TEXT}, status=403)
    with_token("resources:write").post_json(address, {"text": TEXT}, status=200)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": TEXT, "url": "https://a.example"}, "text"),
        ({"text": "nonsense"}, "text"),
        ({"text": TEXT.replace("Tara", "Nobody"), "dry_run": False}, "skip_problems"),
        ({"url": "ftp://a.example"}, "url"),
        ({"url": "http://127.0.0.1:1/"}, "url"),
        ({"url": "http://169.254.169.254/latest/meta-data"}, "url"),
        ({"text": TEXT, "dry_run": "no"}, "dry_run"),
    ],
)
def test_errors_name_the_field(
    login_as: Any, address: str, body: dict[str, Any], field: str
) -> None:
    answer = login_as("rex").post_json(address, body, status=422)
    assert list(answer.json["errors"]) == [field]


def test_nothing_is_locked_while_a_calendar_is_fetched(
    app: Any,
    login_as: Any,
    database: Any,
    address: str,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other side is slow: meanwhile, others write."""
    from incidentrelay.models import Heartbeat

    class Slow:
        def request(self, _method: str, _url: str, **_options: Any) -> Response:
            with database.write() as session:
                session.add(Heartbeat(name="meanwhile", at=now))
            return Response(200, {}, TEXT.encode())

    monkeypatch.setitem(app.registry, "downloads", Slow())
    body = {"url": "https://a.example/x.ics", "dry_run": False}
    assert login_as("rex").post_json(address, body).json["applied"] is True
    with database.read() as session:
        assert session.query(Heartbeat).filter_by(name="meanwhile").count() == 1
