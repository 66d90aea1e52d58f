"""The current user: profile, password, tokens, browsers."""

from typing import Any

import pytest

from incidentrelay.models import User
from incidentrelay.services.access.passwords import hash_password
from tests.support.client import Client


def test_a_profile_is_ones_own(login_as: Any) -> None:
    vera = login_as("vera")
    body = {"display_name": "Vera V.", "zone": "Asia/Tokyo", "phone": "+33 6 12 34 56 78"}
    assert vera.patch_json("/api/me", body).json["phone"] == "+33612345678"
    assert vera.get("/api/me").json["display_name"] == "Vera V."
    vera.patch_json("/api/me", {"zone": "Mars/Base"}, status=422)
    assert login_as("rex").get("/api/me").json["display_name"] == "Rex"


def test_a_password_is_changed_with_the_present_one(
    app: Any, login_as: Any, database: Any, cast: Any
) -> None:
    from incidentrelay.services.access.secrets import new_token
    from tests.support import factories

    other = new_token("s")
    with database.write() as session:
        vera = session.get_one(User, cast.users["vera"].id)
        vera.password_hash = hash_password("old enough to know")
        factories.web_session(session, vera, other)
    client = login_as("vera")
    wrong = {"current_password": "wrong", "new_password": "new enough to know"}
    assert (
        "current_password" in client.post_json("/api/me/password", wrong, status=422).json["errors"]
    )
    weak = {"current_password": "old enough to know", "new_password": "password"}
    client.post_json("/api/me/password", weak, status=422)
    Client(app, cookie=other).get("/api/me", status=200)
    good = {**weak, "new_password": "new enough to know"}
    client.post_json("/api/me/password", good, status=204)
    Client(app, cookie=other).get("/api/me", status=401)
    client.get("/api/me", status=200)


def test_a_token_is_shown_once_works_and_is_revoked(app: Any, login_as: Any) -> None:
    rex = login_as("rex")
    body = {"name": "laptop", "scopes": ["alerts:read"], "group": "sre"}
    made = rex.post_json("/api/me/tokens", body, status=201).json
    assert made["token"].startswith(made["hint"])
    (listed,) = rex.get("/api/me/tokens").json["items"]
    assert "token" not in listed
    client = Client(app, token=made["token"])
    assert {alert["team"] for alert in client.get("/api/alerts").json["items"]} == {"core", "edge"}
    client.get("/api/me/tokens", status=404)
    login_as("vera").delete(made["url"], status=404)
    rex.delete(made["url"], status=204)
    client.get("/api/alerts", status=401)


def test_a_token_makes_none_that_can_do_more(app: Any, with_token: Any) -> None:
    writer = with_token("profile:write")
    for scopes in (["alerts:write"], ["profile:write", "resources:read"]):
        writer.post_json("/api/me/tokens", {"name": "more", "scopes": scopes}, status=403)
    same = {"name": "same", "scopes": ["profile:write"]}
    child = writer.post_json("/api/me/tokens", same, status=201).json["token"]
    Client(app, token=child).post_json("/api/me/tokens", {**same, "scopes": ["x"]}, status=422)
    with_token("profile:read").post_json("/api/me/tokens", same, status=403)


def test_browsers_are_listed_and_signed_out(app: Any, login_as: Any, cast: Any) -> None:
    rex = login_as("rex")
    (own,) = rex.get("/api/me/sessions").json["items"]
    assert own["current"] is True
    assert "digest" not in own
    login_as("vera").delete(own["url"], status=404)
    rex.delete(own["url"], status=204)
    rex.get("/api/me", status=401)


def test_people_are_the_affair_of_site_admins(login_as: Any) -> None:
    for who in ("gail", "rex", "otto"):
        login_as(who).get("/api/users", status=404)
        login_as(who).get("/api/users/vera", status=404)
    root = login_as("root")
    root.patch_json("/api/users/vera", {"active": False})
    login_as("vera").get("/api/me", status=401)
    root.patch_json("/api/users/root", {"is_admin": False}, expect_errors=True)
    assert root.get("/api/users/root").json["is_admin"] is True


@pytest.mark.parametrize("what", ["tokens/1", "feeds/1", "contacts/1", "sessions/1"])
def test_strangers_are_asked_to_sign_in_before_anything_is_looked_up(
    testapp: Client, cast: Any, what: str
) -> None:
    assert "/login" in testapp.get(f"/me/{what}", status=303).location
    testapp.get(f"/api/me/{what}", status=401)
    testapp.with_token(cast.teams["core"].token).get(f"/api/me/{what}", status=404)
