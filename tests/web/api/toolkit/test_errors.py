"""Errors: their shape, their statuses, and what every answer has."""

import logging
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm.exc import StaleDataError

from incidentrelay.db import Database
from incidentrelay.domain import errors as domain
from incidentrelay.services.tenancy import groups, teams
from incidentrelay.web.api.toolkit import errors
from tests.support.client import Client


def test_a_problem_document_has_the_error_id_of_the_log(
    login_as: Any, core: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "incidentrelay")
    headers = {"X-Request-Id": "proxy-4711.a"}
    answer = login_as("gail").patch_json(core, {"name": ""}, headers=headers, status=422)
    problem = answer.json
    assert answer.content_type == "application/problem+json"
    assert {"type", "title", "status", "detail", "error_id", "request_id", "errors"} == set(problem)
    assert (problem["status"], problem["request_id"]) == (422, "proxy-4711.a")
    (record,) = [r for r in caplog.records if getattr(r, "error_id", "") == problem["error_id"]]
    assert record.__dict__["request_id"] == answer.headers["X-Request-Id"] == "proxy-4711.a"


@pytest.mark.parametrize(
    "given", ["short", "x" * 65, "has space 123", "line\tbreak-1", "ünïcödë-1"]
)
def test_a_harmful_request_id_is_replaced(testapp: Client, given: str) -> None:
    headers = {"X-Request-Id": given.encode("latin-1").decode("latin-1")}
    made = testapp.get("/api", headers=headers).headers["X-Request-Id"]
    assert made != given
    assert len(made) == 32


def test_every_domain_error_has_a_status() -> None:
    def below(kind: type[Any]) -> set[type[Any]]:
        return {kind}.union(*(below(each) for each in kind.__subclasses__()))

    for kind in below(domain.DomainError) - {domain.DomainError}:
        assert any(issubclass(kind, known) for known, _ in errors.STATUSES), kind


@pytest.mark.parametrize(
    ("path", "method", "allow"),
    [
        ("/api/groups/sre/teams/core", "POST", {"DELETE", "GET", "HEAD", "PATCH", "PUT"}),
        ("/api/groups/sre/teams", "PUT", {"GET", "HEAD", "POST"}),
        ("/api/alerts", "POST", {"GET", "HEAD"}),
        ("/api/me", "DELETE", {"GET", "HEAD", "PATCH", "PUT"}),
        ("/api/groups/sre/audit", "POST", {"GET", "HEAD"}),
        ("/api/openapi.json", "POST", {"GET", "HEAD"}),
        ("/api/alerts", "OPTIONS", {"GET", "HEAD"}),
    ],
)
def test_a_wrong_method_answers_405_with_allow(
    login_as: Any, path: str, method: str, allow: set[str]
) -> None:
    answer = login_as("gail").request(path, method=method, status=405)
    assert set(answer.headers["Allow"].split(", ")) == allow


def test_a_wrong_method_reveals_nothing_to_strangers(
    login_as: Any, testapp: Client, core: str
) -> None:
    login_as("otto").post(core, status=404)
    testapp.post(core, status=401)
    testapp.post("/api/openapi.json", status=405)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{}", "application/x-www-form-urlencoded", 415),
        (b"{}", "application/merge-patch+json", 200),
        (b"{}", "application/json; charset=utf-8", 200),
        (b"{", "application/json", 422),
        (b"", "application/json", 422),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b'"x"', "application/json", 422),
        (b"[" * 5000, "application/json", 422),
        (b'{"name": NaN}', "application/json", 422),
        (b'{"name": "\\ud800"}', "application/json", 200),
        (b" " * (2**20 + 1), "application/json", 413),
    ],
)
def test_bodies(login_as: Any, core: str, body: bytes, content_type: str, status: int) -> None:
    login_as("gail").patch(core, body, content_type=content_type, status=status)


def test_compressed_bodies_are_refused(login_as: Any, core: str) -> None:
    headers = {"Content-Encoding": "gzip"}
    login_as("gail").patch_json(core, {}, headers=headers, status=415)


@pytest.mark.parametrize("path", ["/api/%ff", "/api/alerts?q=%ff"])
def test_addresses_that_are_not_utf_8(testapp: Client, path: str) -> None:
    answer = testapp.get(path, status=400)
    assert answer.content_type == "application/problem+json"


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "path",
    [
        "/api/groups/%00",
        "/api/groups/sre/teams/core%00",
        "/api/alerts?assignee=%00",
        "/api/reports/on-call?from=2026-01-01&to=2026-01-02&user=a%00",
        "/calendar?rotation=core/%00",
    ],
)
def test_addresses_with_what_no_database_takes(login_as: Any, path: str) -> None:
    answer = login_as("gail").get(path, status=400)
    assert "NUL" in answer.text
    assert path.startswith("/calendar") or answer.content_type == "application/problem+json"
    assert answer.headers["X-Frame-Options"] == "DENY"


ORIGINAL = RuntimeError("secret detail")


@pytest.mark.parametrize(
    ("error", "status", "attempts"),
    [
        (domain.Unavailable("Later.", retry_after=7), 503, 1),
        (domain.NotAllowed("No."), 403, 1),
        (domain.NotFound("None."), 404, 1),
        (domain.InvalidTransition("resolved", "snooze"), 409, 1),
        (StaleDataError("secret detail"), 412, 5),
        (IntegrityError("INSERT secret detail", {}, ORIGINAL), 409, 1),
        (OperationalError("SELECT secret detail", {}, ORIGINAL), 503, 1),
        (RuntimeError("secret detail"), 500, 1),
        (RecursionError("secret detail"), 500, 1),
    ],
)
def test_errors_of_lower_layers_become_problem_documents(
    login_as: Any,
    core: str,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    attempts: int,
) -> None:
    made = []

    def fail(*_args: Any, **_options: Any) -> None:
        made.append(1)
        raise error

    monkeypatch.setattr(teams, "update", fail)
    answer = login_as("gail").patch_json(core, {"name": "x"}, status=status)
    assert "secret detail" not in answer.text
    assert answer.json["error_id"]
    assert len(made) == attempts
    if status == 503:
        assert int(answer.headers["Retry-After"]) > 0


def test_a_conflicting_write_is_retried(
    login_as: Any, database: Any, core: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tries = groups.update, []

    def meet(session: Any, row: Any, data: Any, **options: Any) -> Any:
        tries.append(dict(data))
        if len(tries) < 3:
            row.name = "half-written"
            session.flush()
            raise StaleDataError("met")
        return real(session, row, data, **options)

    monkeypatch.setattr(groups, "update", meet)
    answer = login_as("gail").patch_json("/api/groups/sre", {"description": "Done"})
    assert (answer.json["name"], answer.json["description"]) == ("Sre", "Done")
    assert tries == [{"description": "Done"}] * 3


def test_a_missing_database_answers_503(app: Any, cast: Any, tmp_path: Any) -> None:
    (tmp_path / "folder").mkdir()
    app.registry["database"] = Database(f"sqlite:///{tmp_path}/folder")
    client = Client(app, token=cast.teams["core"].token)
    answer = client.post_json("/api/integrations/webhook", {"title": "x"}, status=503)
    assert int(answer.headers["Retry-After"]) > 0
    assert Client(app).get("/readyz", status=503).json["database"] is False
    assert Client(app).get("/healthz").json == {"status": "ok"}
    app.registry["database"].dispose()


@pytest.mark.both_databases
def test_a_database_of_another_version_is_not_ready(
    app: Any, testapp: Client, database: Any, query_count: Any
) -> None:
    from incidentrelay import migrations

    app.registry["schema"] = migrations.SchemaWatch()
    answer = testapp.get("/readyz", status=503).json
    assert (answer["database"], answer["schema"], answer["revision"]) == (True, False, None)
    assert answer["needed"] == migrations.head()
    with database.writing.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        row = f"INSERT INTO alembic_version VALUES ('{migrations.head()}')"
        connection.exec_driver_sql(row)
    assert testapp.get("/readyz").json["schema"] is True
    with database.writing.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    with query_count() as queries:
        assert testapp.get("/readyz").json["schema"] is True
    assert not [query for query in queries if "alembic" in query]


def test_every_response_has_security_headers(testapp: Client, login_as: Any) -> None:
    for answer in (
        testapp.get("/api"),
        testapp.get("/api/alerts", status=401),
        testapp.get("/api/%ff", status=400),
        testapp.get("/healthz"),
        login_as("rex").get("/api/me"),
    ):
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["X-Request-Id"]
        assert "Strict-Transport-Security" not in answer.headers
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_https_sends_strict_transport_security(database: Any, settings: Any) -> None:
    from incidentrelay import make_app

    secure = replace(settings, public_url="https://relay.example")
    answer = Client(make_app(secure, database=database)).get("/api")
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]


def test_an_ini_file_creates_an_application(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from incidentrelay import main

    app = main(
        {},
        **{
            "incidentrelay.public_url": "http://localhost",
            "incidentrelay.secret_key": "0123456789abcdefghijklmnopqrstuvwxyz-tests-only",
            "incidentrelay.sqlalchemy.url": f"sqlite:///{tmp_path}/x.sqlite",
            "incidentrelay.huey.url": "memory:",
        },
    )
    Client(app).get("/api")
    app.registry["database"].dispose()


def test_readiness_reports_the_worker_and_overdue_notifications(
    testapp: Client, database: Any, cast: Any, now: Any
) -> None:
    from datetime import timedelta

    from incidentrelay.services.common import heartbeats
    from tests.support import factories

    assert testapp.get("/readyz").json["worker"] is False
    with database.write() as session:
        heartbeats.record_heartbeat(session, heartbeats.WORKER, now - timedelta(minutes=1))
        due = now - timedelta(minutes=3)
        factories.notification(session, cast.teams["core"].alert, next_at=due)
    ready = testapp.get("/readyz").json
    assert (ready["worker"], ready["overdue_since"]) == (True, "2026-03-10T11:57:00Z")
