"""Deactivating and deleting users: what depends on them comes first."""

from typing import Any

import pytest

from incidentrelay.models import Rotation, Team, User
from tests.support import factories
from tests.web.console.rotations.test_rotations import text
from tests.web.console.tenancy.test_groups import form_of


@pytest.mark.both_databases
def test_a_deactivated_user_leaves_schedules_and_comes_back(
    login_as: Any, cast: Any, database: Any
) -> None:
    root, rex = login_as("root"), login_as("rex")
    rex.get("/alerts")
    page = root.get("/users/rex/deactivate")
    assert "sre / core / primary" in text(page)
    assert "Their turns pass to the other members." in text(page)
    page = form_of(page).submit().follow()
    assert "deactivated" in text(page)
    assert "Inactive" in text(page)
    assert "/login" in rex.get("/alerts").location
    page = form_of(page).submit().follow()
    assert "activated." in text(page)
    with database.read() as session:
        assert session.get_one(User, cast.users["rex"].id).active


@pytest.mark.both_databases
def test_only_somebody_who_was_never_in_a_schedule_is_deleted(
    login_as: Any, cast: Any, database: Any
) -> None:
    root = login_as("root")
    page = root.get("/users/rex/delete")
    assert "btn-danger" not in page.text
    form_of(page).submit(status=409)
    page = form_of(root.get("/users/vera/delete")).submit().follow()
    assert page.request.path == "/users"
    root.get("/users/vera", status=404)


def test_nobody_deactivates_or_deletes_themselves(login_as: Any) -> None:
    root = login_as("root")
    page = root.get("/users/root")
    assert "/deactivate" not in page.text
    assert "/delete" not in page.text
    assert form_of(root.get("/users/root/deactivate")).submit(status="4*").status_int in {403, 409}
    assert form_of(root.get("/users/root/delete")).submit(status="4*").status_int == 403


def test_the_statements_do_not_grow(
    login_as: Any, cast: Any, database: Any, query_count: Any
) -> None:
    root = login_as("root")
    root.get("/users/rex/deactivate")
    with query_count() as before:
        root.get("/users/rex/deactivate")
    with database.write() as session:
        team = session.get_one(Team, cast.teams["core"].team.id)
        rex = session.get_one(User, cast.users["rex"].id)
        for _ in range(4):
            rotation = factories.rotation(session, team, "", (rex,))
            factories.override(session, session.get_one(Rotation, rotation.id), rex)
    with query_count() as after:
        root.get("/users/rex/deactivate")
    assert len(after) == len(before)
    assert len(after) <= 20
