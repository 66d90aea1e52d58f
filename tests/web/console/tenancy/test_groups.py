"""Groups in the console: list, page, form, deletion, and who may not."""

from typing import Any

import pytest

from incidentrelay.domain.enums import GroupRole
from incidentrelay.models import Group, GroupMember
from tests.support import factories
from tests.web.console.rotations.test_rotations import text


def form_of(page: Any) -> Any:
    """The form of the page, after that to sign out."""
    return page.forms[1]


@pytest.mark.both_databases
def test_an_admin_creates_renames_and_deletes_a_group(login_as: Any) -> None:
    admin = login_as("root")
    assert 'href="/groups/new"' in admin.get("/groups").text
    form = form_of(admin.get("/groups/new"))
    form["name"] = "Payments"
    page = form.submit().follow()
    assert page.request.path == "/groups/payments"
    assert "Group Payments created." in text(page)
    assert "No teams yet" in text(page)
    form = form_of(admin.get("/groups/payments/edit"))
    form["description"] = "Everything that moves money"
    assert "Everything that moves money" in text(form.submit().follow())
    page = form_of(admin.get("/groups/payments/delete")).submit().follow()
    assert "Group Payments deleted." in text(page)
    admin.get("/groups/payments", status=404)


@pytest.mark.both_databases
def test_the_list_has_what_one_may_see(login_as: Any) -> None:
    said = login_as("vera").get("/groups").text
    assert 'href="/groups/sre"' in said
    assert 'href="/groups/sre/teams/core"' in said
    assert "/groups/apps" not in said
    assert "Your role: viewer" in text(login_as("vera").get("/groups"))
    assert "/groups/new" not in said
    assert 'href="/users"' not in said


def test_somebody_without_a_group_is_told_whom_to_ask(
    login_as: Any, cast: Any, database: Any
) -> None:
    with database.write() as session:
        session.query(GroupMember).filter_by(user_id=cast.users["otto"].id).delete()
    assert "Ask a site admin" in text(login_as("otto").get("/groups"))


def test_the_page_offers_what_one_may(login_as: Any) -> None:
    page = login_as("gail").get("/groups/sre")
    assert "/groups/sre/edit" in page.text
    assert "/groups/sre/members/new" in page.text
    assert "/groups/sre/teams/new" in page.text
    assert "/groups/sre/delete" not in page.text
    assert "/groups/sre/teams/new" in login_as("eddy").get("/groups/sre").text
    for person in ("rex", "vera", "mona"):
        page = login_as(person).get("/groups/sre")
        assert not any(f"/{word}" in page.text for word in ("edit", "delete", "members/new"))


@pytest.mark.parametrize(
    ("person", "path", "status"),
    [
        ("gail", "/groups/new", 403),
        ("gail", "/groups/sre/delete", 403),
        ("eddy", "/groups/sre/edit", 403),
        ("eddy", "/groups/sre/members/new", 403),
        ("vera", "/groups/sre/teams/new", 403),
        ("otto", "/groups/sre", 404),
        ("otto", "/groups/sre/edit", 404),
        ("otto", "/groups/sre/members/rex/delete", 404),
    ],
)
def test_who_may_not(login_as: Any, person: str, path: str, status: int) -> None:
    login_as(person).get(path, status=status)


def test_a_group_with_teams_stays(login_as: Any) -> None:
    page = form_of(login_as("root").get("/groups/sre/delete")).submit().follow()
    assert "The group still has teams (core, edge); delete them first." in text(page)


def test_an_owner_who_deactivates_their_group_is_led_to_a_page_they_may_see(
    login_as: Any, cast: Any, database: Any
) -> None:
    form = form_of(login_as("gail").get("/groups/sre/edit"))
    form["active"] = False
    page = form.submit().follow()
    assert page.request.path == "/groups"
    assert "saved" in text(page)
    with database.read() as session:
        assert not session.get_one(Group, cast.groups["sre"].id).active
    assert "This group is inactive" in text(login_as("root").get("/groups/sre"))


def test_bad_input_is_named(login_as: Any) -> None:
    form = form_of(login_as("root").get("/groups/new"))
    form["name"], form["slug"] = "Twin", "sre"
    assert "There is a group “sre” already." in text(form.submit(status=409))
    form["slug"] = "Not a slug"
    assert "lower-case" in text(form.submit(status=422))


@pytest.mark.parametrize("path", ["/groups", "/groups/sre"])
def test_the_statements_do_not_grow(
    login_as: Any, cast: Any, database: Any, query_count: Any, path: str
) -> None:
    client = login_as("gail")
    client.get(path)
    with query_count() as before:
        client.get(path)
    with database.write() as session:
        gail, sre = cast.users["gail"], session.get_one(Group, cast.groups["sre"].id)
        for _ in range(4):
            factories.team(session, sre)
            factories.group_member(session, sre, factories.user(session))
            group = factories.group(session)
            factories.group_member(session, group, gail, GroupRole.VIEWER)
            factories.team(session, group)
    with query_count() as after:
        client.get(path)
    assert len(after) == len(before)
    assert len(after) <= 17
