"""Removing members: what depends on them comes first."""

from typing import Any

import pytest

from incidentrelay.domain.enums import AlertStatus, GroupRole
from incidentrelay.models import Alert, GroupMember, Rotation, Team, User
from tests.support import factories
from tests.web.console.rotations.test_rotations import text
from tests.web.console.tenancy.test_groups import form_of

REX = "/groups/sre/members/rex"


def is_member(database: Any, cast: Any, name: str) -> bool:
    with database.read() as session:
        ids = {"group_id": cast.groups["sre"].id, "user_id": cast.users[name].id}
        return session.query(GroupMember).filter_by(**ids).first() is not None


@pytest.mark.both_databases
def test_somebody_in_a_rotation_is_not_removed_and_the_page_names_it(
    login_as: Any, cast: Any, database: Any
) -> None:
    gail = login_as("gail")
    page = gail.get(f"{REX}/delete")
    assert "sre / core / primary" in text(page)
    assert 'href="/groups/sre/teams/core/rotations/primary"' in page.text
    assert "Take them out first." in text(page)
    assert "btn-danger" not in page.text
    page = form_of(page).submit(status=409)
    assert "rex is in rotations" in text(page)
    assert is_member(database, cast, "rex")


@pytest.mark.both_databases
def test_alerts_of_a_removed_member_move_on(login_as: Any, cast: Any, database: Any) -> None:
    with database.write() as session:
        alert = session.get_one(Alert, cast.teams["core"].alert.id)
        alert.status, alert.acknowledged_by_id = AlertStatus.ACKNOWLEDGED, cast.users["vera"].id
        alert.assignee_id = cast.users["vera"].id
        team = session.get_one(Team, cast.teams["core"].team.id)
        team.fallback_user_id = cast.users["vera"].id
    page = login_as("gail").get("/groups/sre/members/vera/delete")
    said = text(page)
    assert f"#{cast.teams['core'].alert.id}" in said
    assert "They fire again and page the person on call." in said
    assert 'href="/groups/sre/teams/core/edit"' in page.text
    page = form_of(page).submit().follow()
    assert "removed from" in text(page)
    assert not is_member(database, cast, "vera")
    with database.read() as session:
        alert = session.get_one(Alert, cast.teams["core"].alert.id)
        assert alert.assignee_id != cast.users["vera"].id
        assert alert.status is AlertStatus.FIRING


@pytest.mark.both_databases
def test_what_the_page_did_not_show_is_not_confirmed(
    login_as: Any, cast: Any, database: Any
) -> None:
    form = form_of(login_as("gail").get("/groups/sre/members/vera/delete"))
    with database.write() as session:
        session.get_one(Alert, cast.teams["core"].alert.id).assignee_id = cast.users["vera"].id
    page = form.submit(status=409)
    assert "Others depend on vera" in text(page)
    assert f"#{cast.teams['core'].alert.id}" in text(page)
    assert is_member(database, cast, "vera")
    form_of(page).submit().follow()
    assert not is_member(database, cast, "vera")


def test_an_owner_who_leaves_is_led_to_a_page_they_may_see(
    login_as: Any, cast: Any, database: Any
) -> None:
    with database.write() as session:
        ids = {"group_id": cast.groups["sre"].id, "user_id": cast.users["vera"].id}
        session.query(GroupMember).filter_by(**ids).one().role = GroupRole.OWNER
    page = form_of(login_as("vera").get("/groups/sre/members/vera/delete")).submit().follow()
    assert page.request.path == "/groups"
    assert "removed from" in text(page)


def test_the_last_owner_stays(login_as: Any, cast: Any, database: Any) -> None:
    page = form_of(login_as("root").get("/groups/sre/members/gail/delete")).submit(status=409)
    assert "This is the last owner of the group" in text(page)
    assert is_member(database, cast, "gail")


def test_the_statements_do_not_grow(
    login_as: Any, cast: Any, database: Any, query_count: Any
) -> None:
    gail = login_as("gail")
    gail.get(f"{REX}/delete")
    with query_count() as before:
        gail.get(f"{REX}/delete")
    with database.write() as session:
        team = session.get_one(Team, cast.teams["core"].team.id)
        rex = session.get_one(User, cast.users["rex"].id)
        for _ in range(4):
            rotation = factories.rotation(session, team, "", (rex,))
            factories.override(session, session.get_one(Rotation, rotation.id), rex)
    with query_count() as after:
        gail.get(f"{REX}/delete")
    assert len(after) == len(before)
    assert len(after) <= 22
