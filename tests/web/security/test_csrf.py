"""Requests that another site can make a browser send."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from pyramid.request import Request

from incidentrelay.web.security.csrf import CSRFPolicy, needs_check
from tests.support.client import Client

COMMENT = {"text": "Looking."}


@pytest.fixture
def comment(cast: Any) -> str:
    return f"/api/alerts/{cast.teams['core'].alert.id}/comment"


def test_a_browser_needs_its_token(login_as: Any, comment: str) -> None:
    client = login_as("rex")
    client.post_json(comment, COMMENT)
    for wrong in ("", "0" * 64, login_as("vera").csrf_token):
        headers = {"X-CSRF-Token": wrong}
        answer = client.post_json(comment, COMMENT, headers=headers, status=400)
        assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("Sec-Fetch-Site", "cross-site", 400),
        ("Sec-Fetch-Site", "same-site", 400),
        ("Sec-Fetch-Site", "same-origin", 200),
        ("Sec-Fetch-Site", "none", 200),
        ("Origin", "https://evil.example", 400),
        ("Origin", "null", 400),
        ("Origin", "http://localhost", 200),
        ("Origin", "http://localhost:8080", 400),
        ("Origin", "http://[", 400),
    ],
)
def test_another_site_is_refused_even_with_the_token(
    login_as: Any, comment: str, header: str, value: str, status: int
) -> None:
    login_as("rex").post_json(comment, COMMENT, headers={header: value}, status=status)


def test_tokens_of_programs_need_none(with_token: Any, comment: str) -> None:
    with_token("alerts:write").post_json(comment, COMMENT, status=200)


def test_missing_permission_is_reported_before_csrf(login_as: Any, comment: str) -> None:
    login_as("vera").post_json(comment, COMMENT, headers={"X-CSRF-Token": ""}, status=403)


def test_simple_forms_of_other_sites_cannot_speak_json(login_as: Any, comment: str) -> None:
    client = login_as("rex")
    client.post(comment, b'{"text": "x"}', content_type="text/plain", status=415)


def test_before_sign_in_a_separate_cookie_binds_the_token(app: Any, settings: Any) -> None:
    policy = CSRFPolicy(replace(settings, public_url="https://relay.example"))
    request = _request(app)
    token = policy.get_csrf_token(request)
    assert policy.get_csrf_token(request) == token
    cookie = _cookie_set(request)
    assert "__Host-incidentrelay-csrf=" in cookie
    assert "; secure" in cookie.lower()
    assert "httponly" in cookie.lower()
    again = _request(app, cookie.split(";")[0])
    assert policy.check_csrf_token(again, token)
    assert not policy.check_csrf_token(_request(app), token)
    assert not policy.check_csrf_token(again, "é")
    assert policy.new_csrf_token(again) != token


def test_requests_with_an_authorization_header_are_not_checked(app: Any) -> None:
    request = _request(app)
    assert needs_check(request)
    request.headers["Authorization"] = "Bearer x"
    assert not needs_check(request)


def _request(app: Any, cookie: str = "") -> Any:
    request = Request.blank("/", headers={"Cookie": cookie} if cookie else {})
    request.registry = app.registry
    return request


def _cookie_set(request: Any) -> str:
    from pyramid.response import Response

    response = Response()
    for callback in request.response_callbacks:
        callback(request, response)
    assert SimpleNamespace(n=len(response.headers.getall("Set-Cookie"))).n == 1
    return response.headers["Set-Cookie"]


def test_the_session_cookie_is_for_this_host_and_not_for_scripts(app: Any) -> None:
    from incidentrelay.web.security.sessions import cookie_headers

    request = _request(app)
    ((_, cookie),) = cookie_headers(request, "ir_s_value")
    assert cookie.startswith("incidentrelay=ir_s_value;")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Domain" not in cookie
    ((_, gone),) = cookie_headers(request, None)
    assert "Max-Age=0" in gone


def test_the_client_of_the_tests_is_a_browser(app: Any, cast: Any) -> None:
    assert Client(app, cookie=cast.cookies["rex"]).get("/api/me").json["username"] == "rex"
