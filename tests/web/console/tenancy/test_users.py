"""Users in the console, for site admins: list, page, forms, and who may not."""

from typing import Any

import pytest

from incidentrelay.models import User
from tests.support import factories
from tests.web.console.rotations.test_rotations import text
from tests.web.console.tenancy.test_groups import form_of

PASSWORD = " correct horse battery "


def names(page: Any) -> list[str]:
    return [link["href"].removeprefix("/users/") for link in page.html.select(".ir-row-title a")]


def sign_in(app: Any, username: str, password: str) -> Any:
    from tests.support.client import Client

    form = Client(app).get("/login").forms[0]
    form["username"], form["password"] = username, password
    return form.submit(status="*")


@pytest.mark.both_databases
def test_a_new_user_can_sign_in(app: Any, login_as: Any) -> None:
    root = login_as("root")
    form = form_of(root.get("/users/new"))
    form["username"], form["display_name"] = "dagny", "Dagný Ólafs"
    form["email"], form["password"] = "dagny@example.net", PASSWORD
    page = form.submit().follow()
    assert page.request.path == "/users/dagny"
    assert "Dagný Ólafs created." in text(page)
    assert "Not a member of any group" in text(page)
    assert PASSWORD not in page.text
    assert sign_in(app, "dagny", PASSWORD).status_int == 303
    form = form_of(root.get("/users/dagny/edit"))
    form["zone"] = "Atlantic/Reykjavik"
    assert "Atlantic/Reykjavik" in text(form.submit().follow())


@pytest.mark.both_databases
def test_a_new_password_replaces_the_old_one(app: Any, login_as: Any) -> None:
    rex = login_as("rex")
    form = form_of(login_as("root").get("/users/rex/password"))
    form["password"] = PASSWORD
    assert "signed out everywhere" in text(form.submit().follow())
    assert "/login" in rex.get("/alerts").location
    assert sign_in(app, "rex", PASSWORD).status_int == 303


@pytest.mark.parametrize("password", ["short", "rex"])
def test_a_bad_password_is_refused_and_not_sent_back(login_as: Any, password: str) -> None:
    form = form_of(login_as("root").get("/users/rex/password"))
    form["password"] = password
    page = form.submit(status=422)
    assert f'value="{password}"' not in page.text


def test_bad_input_is_named_without_the_password(login_as: Any) -> None:
    form = form_of(login_as("root").get("/users/new"))
    form["username"], form["password"] = "Not A Name", PASSWORD
    page = form.submit(status=422)
    assert "lower-case letters" in text(page)
    assert PASSWORD.strip() not in page.text
    form["username"] = "rex"
    assert "There is somebody called “rex” already." in text(form.submit(status=409))


@pytest.mark.both_databases
def test_search_and_state(login_as: Any, cast: Any, database: Any) -> None:
    with database.write() as session:
        tara = session.get_one(User, cast.users["tara"].id)
        tara.active, tara.display_name = False, "Tara 100%"
    root = login_as("root")
    assert names(root.get("/users")) == sorted({*cast.users} - {"tara"})
    assert names(root.get("/users?show=inactive")) == ["tara"]
    assert names(root.get("/users?show=all&q=0%25")) == ["tara"]
    assert names(root.get("/users?q=REX")) == ["rex"]
    assert "Nobody found" in text(root.get("/users?q=nobody"))
    assert names(root.get("/users?show=sideways&after=%0A")) == names(root.get("/users"))


def test_long_lists_have_pages(login_as: Any, database: Any) -> None:
    with database.write() as session:
        for number in range(60):
            factories.user(session, f"u{number:02}")
    root = login_as("root")
    first = root.get("/users?q=u")
    assert len(names(first)) == 50
    second = root.get(first.html.select_one("a[rel=next]")["href"])
    assert not set(names(first)) & set(names(second))
    assert len(names(second)) >= 10


def test_the_page_shows_roles_and_whether_pages_arrive(
    login_as: Any, cast: Any, database: Any
) -> None:
    root = login_as("root")
    page = root.get("/users/mona")
    assert 'href="/groups/sre/teams/core"' in page.text
    assert "Manager" in text(page)
    with database.write() as session:
        new = factories.user(session, "newcomer")
        session.get_one(User, new.id).email = None
    assert "Pages reach only the inbox" in text(root.get("/users/newcomer"))
    assert "Cannot be paged" in text(root.get("/users?q=newcomer"))


@pytest.mark.parametrize("path", ["/users", "/users/new", "/users/rex", "/users/rex/deactivate"])
def test_others_do_not_even_see_that_there_are_users(login_as: Any, path: str) -> None:
    login_as("gail").get(path, status=404)


def test_an_admin_cannot_drop_their_own_rights(login_as: Any) -> None:
    form = form_of(login_as("root").get("/users/root/edit"))
    assert "is_admin" not in form.fields


@pytest.mark.parametrize("path", ["/users?show=all", "/users/mona"])
def test_the_statements_do_not_grow(
    login_as: Any, cast: Any, database: Any, query_count: Any, path: str
) -> None:
    root = login_as("root")
    root.get(path)
    with query_count() as before:
        root.get(path)
    with database.write() as session:
        mona = session.get_one(User, cast.users["mona"].id)
        for _ in range(4):
            group = factories.group(session)
            factories.group_member(session, group, mona)
            factories.team_member(session, factories.team(session, group), mona)
            factories.group_member(session, group, factories.user(session))
    with query_count() as after:
        root.get(path)
    assert len(after) == len(before)
    assert len(after) <= 19
