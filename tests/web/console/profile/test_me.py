"""The settings page."""

import re
from typing import Any

import pytest
from sqlalchemy import func, select

from incidentrelay.models import ApiToken, User, WebSession
from incidentrelay.services.access.passwords import hash_password, verify

OLD, NEW = "the old password", "quite another one"
PROFILE = {"display_name": "Anna", "email": "a@example.org", "phone": "", "zone": "Asia/Tokyo"}


@pytest.fixture
def ann(browse: Any, pager: Any) -> Any:
    with pager.database.write() as session:
        session.get_one(User, pager.people["ann"]).password_hash = hash_password(OLD)
    return browse("ann")


def stored(pager: Any) -> User:
    with pager.database.read() as session:
        return session.get_one(User, pager.people["ann"])


def profile_form(page: Any) -> Any:
    return next(form for form in page.forms.values() if form.action == "/me/profile")


def test_the_profile_is_saved(ann: Any, pager: Any) -> None:
    form = profile_form(ann.get("/me"))
    for name, value in PROFILE.items():
        form[name] = value
    page = form.submit().follow()
    assert "Profile saved." in page.text
    user = stored(pager)
    assert (user.display_name, user.email, user.phone, user.zone) == (
        "Anna",
        "a@example.org",
        None,
        "Asia/Tokyo",
    )


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("zone", "Mars/Olympus", "time zone"),
        ("email", "not an address", "This is not an e-mail address."),
        ("phone", "0123", "Write the number with its country code"),
        ("display_name", "", "characters"),
        ("display_name", "a\x00b", "Control characters"),
    ],
)
def test_what_is_wrong_is_said_beside_it(
    ann: Any, pager: Any, field: str, value: str, said: str
) -> None:
    page = ann.post("/me/profile", {**PROFILE, field: value}, status=422)
    error = re.search(rf'id="profile-{field}-error">.*?</svg>([^<]+)<', page.text, re.DOTALL)
    assert error is not None
    assert said in error[1]
    assert 'value="a@example.org"' in page.text or field == "email"
    assert stored(pager).display_name == "Ann"


def test_nobody_becomes_an_admin_here(ann: Any, pager: Any) -> None:
    ann.post("/me/profile", {**PROFILE, "is_admin": "true", "username": "root"}, status=303)
    assert not stored(pager).is_admin
    assert stored(pager).username == "ann"


def test_a_new_password_ends_the_other_browsers(ann: Any, browse: Any, pager: Any) -> None:
    other = browse("ann")
    fields = {"current_password": OLD, "new_password": NEW}
    page = ann.post("/me/password", fields).follow()
    assert "Password changed." in page.text
    assert other.get("/me").status_int == 303
    assert verify(stored(pager).password_hash, NEW)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"current_password": "x", "new_password": NEW}, "This is not your current password."),
        ({"current_password": OLD, "new_password": "short"}, "A password has 8 to 1024"),
        ({}, "This is not your current password."),
    ],
)
def test_a_password_is_not_changed_lightly(
    ann: Any, pager: Any, fields: dict[str, str], said: str
) -> None:
    page = ann.post("/me/password", fields, status=422)
    assert said in page.text
    assert NEW not in page.text
    assert verify(stored(pager).password_hash, OLD)


def test_a_token_is_shown_once(ann: Any, pager: Any, testapp: Any) -> None:
    fields = [("name", "deploy"), ("scopes", "alerts:read"), ("days", "30")]
    page = ann.post("/me/new-token", fields, status=200)
    found = re.search(r"<code>(ir_u_[\w-]{20,})</code>", page.text)
    assert found is not None
    testapp.with_token(found[1]).get("/api/alerts", status=200)
    assert found[1] not in ann.get("/me").text
    assert "deploy" in ann.get("/me").text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ([("name", "x"), ("days", "30")], "Give a list of 1"),
        ([("name", ""), ("scopes", "alerts:read"), ("days", "30")], "characters"),
        ([("name", "x"), ("scopes", "world:rule"), ("days", "30")], "Write one of"),
        ([("name", "x"), ("scopes", "alerts:read"), ("days", "99")], "Choose a lifetime"),
    ],
)
def test_a_token_without_sense_is_not_made(
    ann: Any, pager: Any, fields: list[tuple[str, str]], said: str
) -> None:
    assert said in ann.post("/me/new-token", fields, status=422).text
    with pager.database.read() as session:
        assert session.scalar(select(func.count()).select_from(ApiToken)) == 0


def test_a_token_is_revoked(ann: Any, pager: Any) -> None:
    ann.post("/me/new-token", [("name", "x"), ("scopes", "alerts:read"), ("days", "")])
    form = next(f for f in ann.get("/me").forms.values() if "/me/tokens/" in f.action)
    assert "Token revoked." in form.submit().follow().text
    with pager.database.read() as session:
        assert session.scalar(select(func.count()).select_from(ApiToken)) == 0


def test_another_browser_is_signed_out(ann: Any, browse: Any) -> None:
    other = browse("ann")
    form = next(f for f in ann.get("/me").forms.values() if "/me/sessions/" in f.action)
    assert "Signed out that browser." in form.submit().follow().text
    assert other.get("/me").status_int == 303
    assert ann.get("/me").status_int == 200


def test_somebody_elses_browser_is_not_found(ann: Any, browse: Any, pager: Any) -> None:
    browse("bob")
    with pager.database.read() as session:
        theirs = select(WebSession.id).where(WebSession.user_id == pager.people["bob"])
        session_id = session.scalar(theirs)
    ann.post(f"/me/sessions/{session_id}/delete", status=404)


def test_signing_out_everywhere_is_everywhere(ann: Any, browse: Any) -> None:
    other = browse("ann")
    assert ann.post("/me/sign-out-everywhere").location == "http://localhost/login"
    assert ann.get("/me").status_int == 303
    assert other.get("/me").status_int == 303


@pytest.mark.parametrize("form", ["profile", "password", "new-token", "sign-out-everywhere"])
def test_a_form_is_for_whoever_is_signed_in(testapp: Any, pager: Any, form: str) -> None:
    assert testapp.post(f"/me/{form}").location == "http://localhost/login?next=%2Fme"


def test_shift_reminders_are_switched_on_and_off(ann: Any, pager: Any) -> None:
    assert (stored(pager).shift_start_reminder, stored(pager).shift_end_reminder) == (True, False)
    form = profile_form(ann.get("/me"))
    assert (form["shift_start_reminder"].checked, form["shift_end_reminder"].checked) == (
        True,
        False,
    )
    form["shift_start_reminder"].checked, form["shift_end_reminder"].checked = False, True
    form.submit().follow()
    assert (stored(pager).shift_start_reminder, stored(pager).shift_end_reminder) == (False, True)


def test_ticks_are_not_lost_where_something_else_is_wrong(ann: Any) -> None:
    form = {**PROFILE, "zone": "Mars", "shift_end_reminder": "yes"}
    page = ann.post("/me/profile", form, status=422)
    ticks = profile_form(page)
    assert (ticks["shift_start_reminder"].checked, ticks["shift_end_reminder"].checked) == (
        False,
        True,
    )


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ("profile", PROFILE),
        ("new-token", {"name": "", "scopes": "", "days": ""}),
        ("new-feed", {"what": ""}),
        ("contacts", {"kind": "", "label": "", "address": ""}),
        ("rules/high", {"rules.0.delay": "", "rules.0.contact_id": ""}),
        ("rules/high/test", {"what": ""}),
    ],
)
def test_a_file_in_place_of_a_text_is_a_mistake_like_others(
    ann: Any, form: str, fields: dict[str, str]
) -> None:
    files = [(name, "a.txt", b"\xff") for name in fields]
    assert ann.post(f"/me/{form}", upload_files=files, expect_errors=True).status_int < 500
