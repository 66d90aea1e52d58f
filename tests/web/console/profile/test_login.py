"""Signing in and out in a browser."""

from typing import Any

import pytest

from incidentrelay.services.access.passwords import hash_password
from incidentrelay.web.security.sessions import cookie_name

PASSWORD = "a long night at the desk"


@pytest.fixture
def rex(database: Any, cast: Any) -> Any:
    with database.write() as session:
        user = session.merge(cast.users["rex"])
        user.password_hash = hash_password(PASSWORD)
    return cast.users["rex"]


def sign_in(client: Any, path: str = "/login", password: str = PASSWORD, status: int = 303) -> Any:
    form = client.get(path).form
    form["username"], form["password"] = "Rex ", password
    return form.submit(status=status)


def test_signing_in_opens_the_alerts(testapp: Any, rex: Any) -> None:
    answer = sign_in(testapp)
    assert answer.location == "http://localhost/"
    cookie = next(c for c in answer.headers.getall("Set-Cookie") if c.startswith("incidentrelay="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Rex" in answer.follow().follow().text


def test_a_wrong_password_is_said_and_the_name_is_kept(testapp: Any, rex: Any) -> None:
    answer = sign_in(testapp, password="wrong", status=403)
    assert "The username or the password is wrong." in answer.text
    assert answer.form["username"].value == "Rex "
    assert answer.form["password"].value == ""


def test_somebody_who_was_sent_to_sign_in_gets_back(testapp: Any, rex: Any, cast: Any) -> None:
    alert = cast.teams["core"].alert
    sent = testapp.get(f"/alerts/{alert.id}?x=1")
    assert sent.status_int == 303
    assert sent.location == f"http://localhost/login?next=%2Falerts%2F{alert.id}%3Fx%3D1"
    assert sign_in(testapp, sent.location).location == f"http://localhost/alerts/{alert.id}?x=1"


def test_a_form_that_met_an_ended_session_leads_back_to_its_page(testapp: Any, cast: Any) -> None:
    alert = cast.teams["core"].alert
    sent = testapp.post(f"/alerts/{alert.id}/acknowledge")
    assert sent.location == f"http://localhost/login?next=%2Falerts%2F{alert.id}"


@pytest.mark.parametrize("evil", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_signing_in_never_leads_to_another_site(testapp: Any, rex: Any, evil: str) -> None:
    form = testapp.get("/login", {"next": evil}).form
    assert form["next"].value == ""
    form["username"], form["password"], form["next"].force_value = "rex", PASSWORD, evil
    fields = {**dict(form.submit_fields()), "next": evil}
    assert testapp.post("/login", fields).location == "http://localhost/"


def test_who_is_signed_in_needs_no_form(login_as: Any) -> None:
    assert login_as("rex").get("/login?next=/oncall").location == "http://localhost/oncall"


def test_signing_in_needs_the_forms_token(testapp: Any, rex: Any) -> None:
    answer = testapp.post("/login", {"username": "rex", "password": PASSWORD}, status=400)
    assert "Please try again" in answer.text


def test_a_new_session_ends_the_one_that_the_browser_had(app: Any, testapp: Any, rex: Any) -> None:
    sign_in(testapp)
    name = cookie_name(app.registry["settings"])
    old = testapp.cookies[name]
    page = testapp.get("/me")
    fields = {
        "username": "rex",
        "password": PASSWORD,
        "csrf_token": page.forms[0]["csrf_token"].value,
    }
    testapp.post("/login", fields, status=303)
    assert testapp.cookies[name] != old
    testapp.set_cookie(name, old)
    assert testapp.get("/alerts").status_int == 303


def test_signing_out_ends_the_session(login_as: Any) -> None:
    client = login_as("rex")
    answer = client.post("/logout")
    assert answer.location == "http://localhost/login"
    assert client.get("/alerts").status_int == 303


def test_signing_out_needs_the_forms_token(testapp: Any, app: Any, cast: Any) -> None:
    testapp.set_cookie(cookie_name(app.registry["settings"]), cast.cookies["rex"])
    testapp.post("/logout", status=400)
    assert testapp.get("/alerts").status_int == 200


def test_the_start_page_leads_to_the_alerts(testapp: Any) -> None:
    assert testapp.get("/").location == "http://localhost/alerts"
