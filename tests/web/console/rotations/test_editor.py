"""Creating, editing and deleting rotations in the console."""

import re
from typing import Any

import pytest
from sqlalchemy import func, select

from incidentrelay.domain.enums import TeamRole
from incidentrelay.models import Rotation, RotationRevision, Team, User
from incidentrelay.services.oncall import rotations
from tests.support import factories
from tests.web.console.rotations.test_rotations import text, url

__all__ = ["url"]

NEW = "/groups/ops/teams/core/rotations/new"


@pytest.fixture
def manager(browse: Any, pager: Any) -> Any:
    """Ann's browser; she is manager of the team."""
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        ann = session.get_one(User, pager.people["ann"])
        factories.team_member(session, team, ann, TeamRole.MANAGER)
    return browse("ann")


def layers(pager: Any, slug: str = "") -> list[dict[str, Any]]:
    with pager.database.read() as session:
        query = select(Rotation.id).where(Rotation.slug == slug)
        rotation_id = session.scalars(query).one() if slug else pager.rotation_id
        return rotations.load_current_layers(session, [rotation_id])[rotation_id]


def revisions(pager: Any) -> int:
    with pager.database.read() as session:
        return session.scalar(select(func.count()).select_from(RotationRevision)) or 0


def press(form: Any, do: str, **options: Any) -> Any:
    return form.submit("do", value=do, **options)


def test_a_rotation_is_made_after_a_preview(manager: Any, pager: Any) -> None:
    form = manager.get("/rotations/new").follow().forms[1]
    form["name"] = "Second line"
    for name in ("bob", "ann"):
        form["layers.0.person"] = name
        form = press(form, "add:0").forms[1]
    page = press(form, "preview")
    assert "Bob" in text(page)
    assert "nothing is saved yet" in text(page)
    assert "Mon 9 Mar" not in text(page)
    assert revisions(pager) == 1
    page = press(page.forms[1], "save", status=303).follow()
    assert "Rotation Second line created." in text(page)
    assert "On call now Bob" in text(page)
    (layer,) = layers(pager, "second-line")
    assert layer["members"] == ["bob", "ann"]
    assert (layer["unit"], layer["length"], layer["handoff_time"]) == ("weeks", 1, "09:00")


@pytest.mark.parametrize(
    ("kind", "unit", "length"),
    [("", "weeks", "1"), ("daily", "days", "1"), ("hours", "hours", "12")],
)
def test_a_new_one_begins_with_something_usual(
    manager: Any, pager: Any, kind: str, unit: str, length: str
) -> None:
    with pager.database.write() as session:
        session.get_one(User, pager.people["ann"]).zone = "Asia/Tokyo"
    form = manager.get(f"{NEW}?kind={kind}").forms[1]
    assert form["layers.0.unit"].value == unit
    assert form["layers.0.length"].value == length
    assert form["layers.0.zone"].value == "Asia/Tokyo"


def test_who_manages_several_teams_chooses_one(login_as: Any) -> None:
    page = login_as("gail").get("/rotations/new")
    assert set(re.findall(r'href="(/groups/\S+/new)"', page.text)) == {
        "/groups/sre/teams/core/rotations/new",
        "/groups/sre/teams/edge/rotations/new",
    }
    assert "You cannot create rotations in any team." in text(login_as("rex").get("/rotations/new"))


def test_an_edit_is_shown_before_it_is_saved(manager: Any, pager: Any, url: str) -> None:
    form = manager.get(f"{url}/edit").forms[1]
    page = press(form, "member-down:0:1")
    assert revisions(pager) == 1
    page = press(page.forms[1], "preview")
    said = text(page)
    assert "The person on call changes at" in said
    assert "Mon 16 Mar, 09:00 UTC – Mon 23 Mar, 09:00 UTC Bob Cy Changes" in said
    assert "Tue 10 Mar, 12:00 UTC – Mon 16 Mar, 09:00 UTC Ann Ann" in said
    assert revisions(pager) == 1
    page = press(page.forms[1], "save", status=303).follow()
    assert re.search(r"Rotation \w+ saved\.", text(page))
    assert layers(pager)[0]["members"] == ["ann", "cy", "bob"]
    assert revisions(pager) == 2


def test_saving_what_is_there_changes_nothing(manager: Any, pager: Any, url: str) -> None:
    form = manager.get(f"{url}/edit").forms[1]
    page = press(form, "preview")
    assert "Nobody's shifts change." in text(page).replace("&#39;", "'")
    press(page.forms[1], "save", status=303)
    assert revisions(pager) == 1


def test_restrictions_and_a_second_layer(manager: Any, pager: Any, url: str) -> None:
    form = press(manager.get(f"{url}/edit").forms[1], "layer-add").forms[1]
    form["layers.1.name"] = "Nights"
    form["layers.1.person"] = "fay"
    form = press(form, "hours-add:1").forms[1]
    form["layers.1.hours.0.opens"], form["layers.1.hours.0.closes"] = "22:00", "06:00"
    page = press(form, "save", status=303).follow()
    assert "Only Mon–Fri 22:00–06:00 of the next day." in text(page)
    base, nights = layers(pager)
    assert (base["name"], nights["name"], nights["members"]) == ("Layer 1", "Nights", ["fay"])
    form = press(manager.get(f"{url}/edit").forms[1], "layer-down:1").forms[1]
    press(form, "save", status=303)
    assert [layer["name"] for layer in layers(pager)] == ["Nights", "Layer 1"]


def test_it_is_paused_and_gets_another_name(manager: Any, pager: Any, url: str) -> None:
    form = manager.get(f"{url}/edit").forms[1]
    form["enabled"], form["name"], form["description"] = False, "Main", ""
    assert "This rotation is paused" in text(press(form, "save").follow())
    with pager.database.read() as session:
        row = session.get_one(Rotation, pager.rotation_id)
        assert (row.enabled, row.name) == (False, "Main")


@pytest.mark.parametrize("do", ["preview", "save"])
@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "", "Length must be between"),
        ("reminder_interval", "90000", "less than or equal to 86400"),
        ("layers.0.zone", "Mars/Olympus", "There is no such time zone"),
        ("layers.0.length", "400", "1 to 52 weeks"),
        ("layers.0.length", "many", "integer"),
        ("layers.0.handoff_time", "25:00", "Enter a time of day"),
        ("layers.0.start_date", "soon", "Not a valid date"),
    ],
)
def test_what_is_wrong_is_said_beside_it_and_nothing_is_lost(
    manager: Any, pager: Any, url: str, do: str, field: str, value: str, said: str
) -> None:
    form = press(manager.get(f"{url}/edit").forms[1], "member-down:0:0").forms[1]
    form[field] = value
    page = press(form, do, status=422)
    error = re.search(rf'id="field-{re.escape(field)}-error">.*?</svg>([^<]+)<', page.text, re.S)
    assert error is not None
    assert said in error[1]
    again = page.forms[1]
    assert again[field].value == value
    assert [one.value for one in again.fields["layers.0.members"]] == ["bob", "ann", "cy"]
    assert revisions(pager) == 1


def test_a_member_who_is_none_any_more_can_be_taken_out(manager: Any, pager: Any, url: str) -> None:
    form = manager.get(f"{url}/edit").forms[1]
    form.fields["layers.0.members"][0].force_value("otto")
    page = press(form, "save", status=422)
    assert "“otto” is not a member of the group." in text(page)
    assert "otto (gets no turn)" in text(page)
    press(press(page.forms[1], "member-remove:0:0").forms[1], "save", status=303)
    assert layers(pager)[0]["members"] == ["bob", "cy"]


@pytest.mark.both_databases
def test_two_who_edit_at_once(manager: Any, pager: Any, url: str) -> None:
    first, second = (manager.get(f"{url}/edit").forms[1] for _ in range(2))
    first["name"], second["name"] = "First", "Second"
    press(first, "save", status=303)
    page = press(second, "save", status=412)
    assert "your input is kept" in text(page)
    assert page.forms[1]["name"].value == "Second"
    press(page.forms[1], "save", status=303)
    with pager.database.read() as session:
        assert session.get_one(Rotation, pager.rotation_id).name == "Second"


def test_a_name_that_is_taken(manager: Any, pager: Any, url: str) -> None:
    form = manager.get(NEW).forms[1]
    form["name"], form["slug"] = "Twin", url.rpartition("/")[2]
    form["layers.0.person"] = "bob"
    assert "already has a rotation" in text(press(form, "save", status=409))


def test_one_that_is_used_is_not_deleted(manager: Any, pager: Any, url: str) -> None:
    page = manager.get(f"{url}/delete")
    assert "This cannot be undone." in text(page)
    assert "Routes use this rotation" in text(page.forms[1].submit().follow())
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        factories.rotation(session, team, "spare")
    spare = "/groups/ops/teams/core/rotations/spare"
    said = text(manager.get(f"{spare}/delete").forms[1].submit().follow())
    assert "Rotation Spare deleted." in said
    manager.get(spare, status=404)


@pytest.mark.parametrize("end", ["new", "primary/edit", "primary/delete"])
def test_only_those_who_may_edit(login_as: Any, end: str) -> None:
    address = f"/groups/sre/teams/core/rotations/{end}"
    for person, status in (("mona", 200), ("tara", 403), ("vera", 403), ("otto", 404)):
        login_as(person).get(address, status=status)
        if status != 200:
            login_as(person).post(address, {"do": "save"}, status=status)
