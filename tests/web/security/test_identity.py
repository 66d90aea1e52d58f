"""Identities: credentials, their kinds and lifetimes."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from incidentrelay.models import ApiToken, User, WebSession
from incidentrelay.services.access.secrets import new_token
from tests.support import factories
from tests.support.client import Client


def test_nobody_gets_401_with_a_challenge(testapp: Client) -> None:
    answer = testapp.get("/api/alerts", status=401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("path", ["/api/groups/sre", "/api/groups/none", "/api/users/root"])
def test_nobody_learns_whether_something_exists(testapp: Client, cast: Any, path: str) -> None:
    assert testapp.get(path, expect_errors=True).status_int in {401, 404}
    assert testapp.get(path, status="*").status_int == (404 if "none" in path else 401)


def test_a_browser_is_known_by_its_cookie(login_as: Any) -> None:
    assert login_as("gail").get("/api/me").json["username"] == "gail"


def test_a_token_is_its_owner(with_token: Any) -> None:
    me = with_token("profile:read").get("/api/me").json
    assert (me["username"], me["scopes"]) == ("gail", ["profile:read"])


@pytest.mark.parametrize("header", ["Bearer nonsense", "Basic Z2FpbDp4", "Bearer", "bearer  ", ""])
def test_a_cookie_does_not_replace_an_invalid_token(login_as: Any, header: str) -> None:
    login_as("gail").get("/api/me", headers={"Authorization": header}, status=401)


def test_kinds_of_tokens_are_not_confused(app: Any, cast: Any, with_token: Any) -> None:
    with_token(cast.teams["core"].token).get("/api/me", status=404)
    with_token(cast.cookies["gail"]).get("/api/me", status=401)
    Client(app, cookie=cast.tokens["profile:read"]).get("/api/me", status=401)
    with_token(cast.tokens["profile:read"] + "0").get("/api/me", status=401)


@pytest.mark.parametrize(
    ("seen", "made", "status"),
    [
        (timedelta(days=6), timedelta(days=6), 200),
        (timedelta(days=7), timedelta(days=7), 401),
        (timedelta(hours=1), timedelta(days=29), 200),
        (timedelta(hours=1), timedelta(days=30), 401),
    ],
)
def test_a_session_expires_when_idle_and_by_age(
    app: Any, cast: Any, database: Any, seen: timedelta, made: timedelta, status: int
) -> None:
    cookie = new_token("s")
    with database.write() as session:
        row = factories.web_session(session, cast.users["rex"], cookie)
        row.last_seen_at, row.created_at = factories.NOW - seen, factories.NOW - made
    Client(app, cookie=cookie).get("/api/me", status=status)


def test_use_is_recorded_but_not_every_time(
    app: Any, cast: Any, database: Any, query_count: Any
) -> None:
    cookie = new_token("s")
    with database.write() as session:
        row = factories.web_session(session, cast.users["rex"], cookie)
        row.last_seen_at = factories.NOW - timedelta(minutes=6)
        row_id = row.id
    client = Client(app, cookie=cookie)
    client.get("/api/me")
    with database.read() as session:
        assert session.get_one(WebSession, row_id).last_seen_at == factories.NOW
    with query_count() as queries:
        client.get("/api/me")
    assert not [query for query in queries if query.startswith("UPDATE")]


def test_a_token_remembers_its_last_use_and_expires(app: Any, cast: Any, database: Any) -> None:
    alive, expired = new_token("u"), new_token("u")
    with database.write() as session:
        gail = cast.users["gail"]
        row = factories.api_token(session, gail, alive, ("profile:read",))
        factories.api_token(session, gail, expired, ("profile:read",), expires_at=factories.NOW)
        row_id = row.id
    Client(app, token=alive).get("/api/me")
    Client(app, token=expired).get("/api/me", status=401)
    with database.read() as session:
        assert session.get_one(ApiToken, row_id).last_used_at == factories.NOW


def test_identity_costs_two_statements(login_as: Any, query_count: Any) -> None:
    client = login_as("mona")
    with query_count() as queries:
        client.get("/api")
    assert queries == []
    with query_count() as queries:
        client.get("/api/users", status=404)
    assert len(queries) == 2


def test_a_token_without_the_scope_is_told_which_one(with_token: Any, core: str) -> None:
    with_token("alerts:read").get(core, status=404)
    answer = with_token("resources:read").patch_json(core, {"name": "Our own"}, status=403)
    assert answer.json["detail"] == "The token lacks the scope resources:write."


def test_a_token_bound_to_a_group_stays_there(app: Any, cast: Any, database: Any) -> None:
    token = new_token("u")
    with database.write() as session:
        factories.api_token(
            session,
            cast.users["root"],
            token,
            ("resources:read", "alerts:read", "alerts:write", "resources:write", "profile:read"),
            group_id=cast.groups["apps"].id,
        )
    client = Client(app, token=token)
    client.get("/api/groups/apps/teams/web")
    client.get("/api/groups/sre/teams/core", status=404)
    client.get(f"/api/alerts/{cast.teams['core'].alert.id}", status=404)
    client.get("/api/me", status=404)
    client.post_json("/api/groups", {"name": "Our own"}, status=403)
    assert {alert["team"] for alert in client.get("/api/alerts").json["items"]} == {"web"}
    assert [group["slug"] for group in client.get("/api/groups").json["items"]] == ["apps"]


def test_the_session_of_an_inactive_person_is_nobody(login_as: Any, database: Any) -> None:
    browser = login_as("rex")
    browser.get("/api/me", status=200)
    with database.write() as session:
        session.execute(update(User).where(User.username == "rex").values(active=False))
    browser.get("/api/me", status=401)
