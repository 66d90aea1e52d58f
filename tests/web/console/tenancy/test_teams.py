"""Teams in the console: page, what is missing, form, deletion, and who may not."""

from typing import Any

import pytest

from incidentrelay.models import Alert, ContactMethod, Group, Rotation, Route, Team, User
from tests.support import factories
from tests.web.console.rotations.test_rotations import text
from tests.web.console.tenancy.test_groups import form_of

CORE = "/groups/sre/teams/core"
READY = "Ready to be paged"


@pytest.mark.both_databases
def test_an_editor_creates_a_team_and_sees_what_is_missing(login_as: Any) -> None:
    eddy = login_as("eddy")
    form = form_of(eddy.get("/groups/sre/teams/new"))
    form["name"] = "Night watch"
    page = form.submit().follow()
    assert page.request.path == "/groups/sre/teams/night-watch"
    said = text(page)
    assert "Team Night watch created." in said
    assert "no route, so no alert arrives" in said
    assert "neither a rotation nor a policy" in said
    assert "no fallback contact" in said
    assert f"{page.request.path}/rotations/new" in page.text
    assert "After 2 reminders" in said or "after 2 reminders" in said


@pytest.mark.both_databases
def test_times_are_minutes_and_go_through_the_form_unchanged(
    login_as: Any, cast: Any, database: Any
) -> None:
    eddy, team_id = login_as("eddy"), cast.teams["core"].team.id
    form = form_of(eddy.get(f"{CORE}/edit"))
    assert form["ack_covers"].value == "60"
    form["ack_timeout"] = "1.5"
    form["ack_covers"] = "30"
    form["fallback_user"] = "rex"
    form["fallback_channel"] = "inbox"
    said = text(form.submit().follow())
    assert "After 1 min" in said
    form_of(eddy.get(f"{CORE}/edit")).submit()
    with database.read() as session:
        team = session.get_one(Team, team_id)
        assert (team.ack_timeout, team.ack_covers) == (90, 1800)
        assert team.fallback_user_id == cast.users["rex"].id
        assert team.fallback_channel_id == cast.teams["core"].channel.id
    form = form_of(eddy.get(f"{CORE}/edit"))
    form["ack_timeout"] = form["fallback_user"] = form["fallback_channel"] = ""
    form.submit()
    with database.read() as session:
        team = session.get_one(Team, team_id)
        assert (team.ack_timeout, team.fallback_user_id, team.fallback_channel_id) == (None,) * 3


@pytest.mark.parametrize("minutes", ["0.5", "43201", "soon", "1e400"])
def test_bad_minutes_are_named_and_kept(login_as: Any, minutes: str) -> None:
    form = form_of(login_as("eddy").get(f"{CORE}/edit"))
    form["ack_timeout"] = minutes
    page = form.submit(status=422)
    assert "Write a number of minutes from 1 to 43200." in text(page)
    assert form_of(page)["ack_timeout"].value == minutes


def test_a_team_with_everything_is_ready(login_as: Any, cast: Any, database: Any) -> None:
    with database.write() as session:
        team = session.get_one(Team, cast.teams["core"].team.id)
        team.fallback_user_id = cast.users["rex"].id
    page = login_as("vera").get(CORE)
    said = text(page)
    assert READY in said
    assert "Rex is on call" in said or "rex is on call" in said
    for thing in ("rotations/", "policies/standard"):
        assert f"{thing}" in page.text
    assert "/edit" not in page.text
    assert "/new" not in page.text


def test_somebody_on_call_without_a_contact_is_named(
    login_as: Any, cast: Any, database: Any
) -> None:
    sentence = "is on call in Primary, but has no confirmed contact method."
    assert sentence not in text(login_as("vera").get(CORE))
    with database.write() as session:
        session.get_one(Rotation, cast.teams["core"].rotation.id).name = "Primary"
        session.get_one(User, cast.users["rex"].id).email = None
        session.query(ContactMethod).filter_by(user_id=cast.users["rex"].id).delete()
    assert sentence in text(login_as("vera").get(CORE))


def test_what_is_missing_is_listed(login_as: Any, cast: Any, database: Any) -> None:
    core = cast.teams["core"]
    with database.write() as session:
        session.get_one(Team, core.team.id).unreachable = [["policy", "Standard", "Cy"]]
        team = session.get_one(Team, core.team.id)
        empty = factories.rotation(session, team, "empty", name="Empty").id
        session.get_one(Route, core.route.id).rotation_id = empty
    said = text(login_as("eddy").get(CORE))
    assert "Cy is named in it but cannot be reached" in said
    assert "Nobody is on call in Empty right now." in said
    with database.write() as session:
        session.get_one(Rotation, empty).enabled = False
    assert "The rotation Empty is paused" in text(login_as("eddy").get(CORE))
    with database.write() as session:
        route = session.get_one(Route, core.route.id)
        route.rotation_id, route.name = None, "Incoming"
    assert "The route Incoming pages nobody." in text(login_as("eddy").get(CORE))
    with database.write() as session:
        session.get_one(Route, core.route.id).enabled = False
        session.get_one(Team, core.team.id).active = False
    said = text(login_as("eddy").get(CORE))
    assert "All its routes are switched off" in said
    assert "The team is inactive" in said


@pytest.mark.parametrize(
    ("person", "path", "status"),
    [
        # Managers edit the contents of a team, not the team itself.
        ("mona", f"{CORE}/edit", 403),
        ("vera", f"{CORE}/delete", 403),
        ("rex", f"{CORE}/members/new", 403),
        ("otto", CORE, 404),
        ("otto", f"{CORE}/edit", 404),
    ],
)
def test_who_may_not(login_as: Any, person: str, path: str, status: int) -> None:
    login_as(person).get(path, status=status)


@pytest.mark.both_databases
def test_a_team_in_use_stays_and_an_unused_one_goes(
    login_as: Any, cast: Any, database: Any
) -> None:
    eddy = login_as("eddy")
    page = form_of(eddy.get(f"{CORE}/delete")).submit().follow()
    assert "The team still has open alerts (1)" in text(page)
    with database.write() as session:
        session.query(Alert).filter_by(team_id=cast.teams["core"].team.id).delete()
        session.query(Route).filter_by(team_id=cast.teams["core"].team.id).delete()
    page = form_of(eddy.get(f"{CORE}/delete")).submit().follow()
    assert page.request.path == "/groups"
    eddy.get(CORE, status=404)


def test_saving_over_somebody_elses_change_asks_again(login_as: Any) -> None:
    first, second = (form_of(login_as("eddy").get(f"{CORE}/edit")) for _ in range(2))
    first["description"], second["description"] = "First", "Second"
    first.submit()
    page = second.submit(status=412)
    assert "Somebody else changed this" in text(page)
    assert "Second" in text(form_of(page).submit().follow())


def test_the_statements_do_not_grow(
    login_as: Any, cast: Any, database: Any, query_count: Any
) -> None:
    client = login_as("eddy")
    client.get(CORE)
    with query_count() as before:
        client.get(CORE)
    with database.write() as session:
        sre = session.get_one(Group, cast.groups["sre"].id)
        team = session.get_one(Team, cast.teams["core"].team.id)
        for _ in range(4):
            rotation = factories.rotation(session, team, "", (cast.users["rex"],))
            factories.route(session, team, rotation_id=rotation.id)
            factories.channel(session, team)
            factories.policy(session, team)
            factories.silence(session, team)
            user = factories.user(session)
            factories.group_member(session, sre, user)
            factories.team_member(session, team, user)
    with query_count() as after:
        client.get(CORE)
    assert len(after) == len(before)
    assert len(after) <= 31
