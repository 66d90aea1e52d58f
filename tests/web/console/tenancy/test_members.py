"""Members of groups and teams in the console: add, change the role, remove."""

from types import SimpleNamespace
from typing import Any

import pytest

from incidentrelay.domain.enums import GroupRole
from incidentrelay.models import GroupMember, TeamMember
from incidentrelay.web.console.tenancy.members import may_grant
from tests.web.console.rotations.test_rotations import text
from tests.web.console.tenancy.test_groups import form_of

SRE = "/groups/sre"
CORE = f"{SRE}/teams/core"


def options(form: Any, name: str) -> list[str]:
    return [value for value, _selected, _shown in form[name].options if value]


@pytest.mark.both_databases
def test_an_owner_adds_somebody_and_changes_their_role(
    login_as: Any, cast: Any, database: Any
) -> None:
    gail = login_as("gail")
    form = form_of(gail.get(f"{SRE}/members/new"))
    assert options(form, "role") == ["viewer", "responder", "editor", "owner"]
    form["username"], form["role"] = "otto", "viewer"
    page = form.submit().follow()
    assert page.request.path == SRE
    assert "added as viewer" in text(page)
    form = form_of(gail.get(f"{SRE}/members/otto/edit"))
    form["role"] = "responder"
    assert "is now responder" in text(form.submit().follow())
    with database.read() as session:
        ids = {"group_id": cast.groups["sre"].id, "user_id": cast.users["otto"].id}
        assert session.query(GroupMember).filter_by(**ids).one().role is GroupRole.RESPONDER


@pytest.mark.both_databases
def test_a_manager_gives_a_role_in_the_team(login_as: Any, cast: Any, database: Any) -> None:
    mona = login_as("mona")
    form = form_of(mona.get(f"{CORE}/members/new"))
    assert "vera" in options(form, "username")
    # Somebody with a role in it, and somebody outside the group.
    assert not {"tara", "otto"} & set(options(form, "username"))
    assert options(form, "role") == ["responder", "manager"]
    form["username"], form["role"] = "vera", "manager"
    page = form.submit().follow()
    assert page.request.path == CORE
    with database.read() as session:
        ids = {"team_id": cast.teams["core"].team.id, "user_id": cast.users["vera"].id}
        assert session.query(TeamMember).filter_by(**ids).one().role == "manager"
    form_of(mona.get(f"{CORE}/members/vera/delete")).submit()
    with database.read() as session:
        assert session.query(TeamMember).filter_by(**ids).first() is None


def test_accounts_outside_ones_groups_are_not_suggested(login_as: Any) -> None:
    assert 'value="otto"' not in login_as("gail").get(f"{SRE}/members/new").text
    assert 'value="otto"' in login_as("root").get(f"{SRE}/members/new").text


@pytest.mark.parametrize(
    ("own", "offered"),
    [
        (GroupRole.OWNER, ["viewer", "responder", "editor", "owner"]),
        (GroupRole.EDITOR, ["viewer", "responder", "editor"]),
        (GroupRole.VIEWER, ["viewer"]),
        (None, []),
    ],
)
def test_roles_above_ones_own_are_not_offered(own: GroupRole | None, offered: list[str]) -> None:
    groups = {} if own is None else {7: own}
    request = SimpleNamespace(identity=SimpleNamespace(is_admin=False, groups=groups, teams={}))
    folder: Any = SimpleNamespace(owner=SimpleNamespace(id=7))
    assert [role for role in GroupRole if may_grant(request, folder, role)] == offered


def test_a_role_that_was_not_offered_is_rejected(login_as: Any) -> None:
    form = form_of(login_as("gail").get(f"{SRE}/members/rex/edit"))
    form["role"].force_value("emperor")
    form.submit(status=422)


def test_unknown_people_and_twins_are_named(login_as: Any) -> None:
    form = form_of(login_as("gail").get(f"{SRE}/members/new"))
    form["username"] = "nobody"
    assert "There is no user with this name." in text(form.submit(status=422))
    form["username"] = "rex"
    assert "rex is a member of the group already." in text(form.submit(status=409))


def test_the_last_owner_stays_one(login_as: Any) -> None:
    form = form_of(login_as("gail").get(f"{SRE}/members/gail/edit"))
    form["role"] = "viewer"
    assert "This is the last owner of the group" in text(form.submit(status=409))


@pytest.mark.parametrize(
    ("person", "path", "status"),
    [
        ("eddy", f"{SRE}/members/rex/edit", 403),
        ("mona", f"{SRE}/members/rex/delete", 403),
        ("tara", f"{CORE}/members/mona/edit", 403),
        ("rex", f"{CORE}/members/tara/delete", 403),
        ("otto", f"{CORE}/members/tara/edit", 404),
    ],
)
def test_who_may_not(login_as: Any, person: str, path: str, status: int) -> None:
    login_as(person).get(path, status=status)
