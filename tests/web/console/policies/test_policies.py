"""Escalation policies in the console: list, page with its picture, editor, deletion."""

import re
from typing import Any

import pytest

from incidentrelay.domain.enums import TeamRole
from incidentrelay.models import Channel, Group, Policy, Rotation, Route, Team, User
from incidentrelay.services.escalation import double_duty, policies
from tests.support import factories
from tests.web.console.rotations.test_rotations import text

POLICIES = "/groups/ops/teams/core/policies"
NEW, URL = f"{POLICIES}/new", f"{POLICIES}/standard"


@pytest.fixture
def manager(browse: Any, pager: Any) -> Any:
    """Ann's browser; she is manager of the team."""
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        ann = session.get_one(User, pager.people["ann"])
        factories.team_member(session, team, ann, TeamRole.MANAGER)
    return browse("ann")


@pytest.fixture
def policy(pager: Any) -> int:
    """Who is on call; after five minutes bob; once more."""
    plain: dict[str, Any] = {"notify_assignee_again": False, "conditions": {}}
    steps = [
        {"delay": 0, "targets": [{"kind": "rotation", "id": pager.rotation_id}], **plain},
        {"delay": 300, "targets": [{"kind": "user", "id": pager.people["bob"]}], **plain},
    ]
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        return factories.policy(session, team, "standard", steps=steps, repeat=1).id


def use(pager: Any, policy_id: int) -> None:
    """Give the pager's route the policy."""
    with pager.database.write() as session:
        session.get_one(Route, pager.route_id).policy_id = policy_id


def steps(pager: Any, slug: str) -> list[dict[str, Any]]:
    with pager.database.read() as session:
        row = session.query(Policy).filter_by(slug=slug).one()
        return policies.public_steps(session, [row])[row.id]


def press(form: Any, do: str, **options: Any) -> Any:
    return form.submit("do", value=do, **options)


@pytest.mark.both_databases
def test_the_list_says_what_each_does(browse: Any, pager: Any, policy: int) -> None:
    said = text(browse("ann").get("/policies"))
    name = re.search(r"Standard At once: (\S+) \+ 5 min: Bob once more", said)
    assert name is not None
    assert "No route uses it" in said
    assert "No fallback contact" in said
    use(pager, policy)
    pager.change(fallback_user_id=pager.people["cy"])
    said = text(browse("ann").get("/policies"))
    assert "No route uses it" not in said
    assert "No fallback contact" not in said
    assert "New policy" not in said


@pytest.mark.both_databases
def test_the_list_has_what_one_may_see(login_as: Any) -> None:
    pages = {person: login_as(person).get("/policies").text for person in ("vera", "otto")}
    link = re.compile(r'href="(/groups\S+policies/\w+)"')
    found = {person: link.findall(page) for person, page in pages.items()}
    assert found == {
        "vera": [f"/groups/sre/teams/{team}/policies/standard" for team in ("core", "edge")],
        "otto": ["/groups/apps/teams/web/policies/standard"],
    }
    assert "/policies/new" in login_as("mona").get("/policies").text
    assert "/policies/new" not in login_as("rex").get("/policies").text


@pytest.mark.parametrize("address", ["/policies", URL, f"{URL}/edit"])
def test_the_statements_do_not_grow(
    manager: Any, pager: Any, policy: int, query_count: Any, address: str
) -> None:
    with pager.database.write() as session:
        channel = session.query(Channel).first().id
        many = [
            {"delay": 60, "targets": [
                {"kind": "rotation", "id": pager.rotation_id},
                {"kind": "channel", "id": channel},
                {"kind": "team", "id": pager.team_id},
                {"kind": "user", "id": id},
            ]}
            for id in pager.people.values()
        ]  # fmt: skip
        session.get_one(Policy, policy).steps = many[:1]
    manager.get(address)
    with query_count() as few:
        manager.get(address)
    with pager.database.write() as session:
        session.get_one(Policy, policy).steps = many
        team = session.get_one(Team, pager.team_id)
        for _ in range(4):
            factories.policy(session, team, steps=many)
            factories.rotation(session, team)
    with query_count() as after:
        manager.get(address)
    assert len(after) == len(few), after


def test_the_page_is_a_picture_of_the_plan(browse: Any, pager: Any, policy: int) -> None:
    page = browse("cy").get(URL)
    said = text(page)
    assert re.search(r"At once The person on call in \S+ \(now: Ann\)", said)
    assert "After 5 min, if nobody has reacted Bob" in said
    assert "All steps once more" in said
    assert "Nobody else is notified." in said
    assert "No route uses it" in said
    assert f"{URL}/edit" not in page.text
    use(pager, policy)
    pager.change(fallback_user_id=pager.people["cy"])
    with pager.database.write() as session:
        session.get_one(Rotation, pager.rotation_id).enabled = False
        session.get_one(User, pager.people["bob"]).active = False
    said = text(browse("cy").get(URL))
    assert "paused: pages nobody" in said
    assert "Bob (inactive: not notified)" in said
    assert "The team's fallback contact: Cy" in said


def test_a_policy_is_made_after_a_preview(manager: Any, pager: Any) -> None:
    form = manager.get("/policies/new").follow().forms[1]
    form["name"] = "Nights"
    form["steps.0.add"] = form["steps.0.add"].options[1][0]
    form = press(form, "step-add").forms[1]
    form["steps.1.delay"], form["steps.1.add"] = "7,5", "user:bob"
    form["steps.1.notify_assignee_again"] = True
    form["steps.1.conditions.severity"] = "high"
    page = press(form, "preview")
    assert "Preview: nothing is saved yet" in text(page)
    when = "After 7 min 30 s, if nobody has reacted"
    assert f"{when} The current assignee, again Bob" in text(page)
    assert "Only if the severity is high or worse." in text(page)
    manager.get(f"{POLICIES}/nights", status=404)
    page = press(page.forms[1], "save", status=303).follow()
    assert "Policy Nights created." in text(page)
    first, second = steps(pager, "nights")
    assert (first["delay"], first["targets"][0]["kind"], first["conditions"]) == (0, "rotation", {})
    assert second == {
        "delay": 450,
        "notify_assignee_again": True,
        "targets": [{"kind": "user", "name": "bob"}],
        "conditions": {"severity": "high"},
    }


def test_who_manages_several_teams_chooses_one(login_as: Any) -> None:
    page = login_as("gail").get("/policies/new")
    assert set(re.findall(r'href="(/groups/\S+/new)"', page.text)) == {
        "/groups/sre/teams/core/policies/new",
        "/groups/sre/teams/edge/policies/new",
    }
    assert "You cannot create policies in any team." in text(login_as("rex").get("/policies/new"))


def test_saving_what_is_there_changes_nothing(manager: Any, pager: Any, policy: int) -> None:
    with pager.database.read() as session:
        before = session.get_one(Policy, policy)
    press(manager.get(f"{URL}/edit").forms[1], "save", status=303)
    with pager.database.read() as session:
        after = session.get_one(Policy, policy)
    assert (after.repeat, after.version, len(after.steps)) == (1, before.version, 2)


def test_steps_change_places_and_go(manager: Any, pager: Any, policy: int) -> None:
    form = press(manager.get(f"{URL}/edit").forms[1], "step-up:1").forms[1]
    assert [step["targets"][0]["kind"] for step in steps(pager, "standard")] == ["rotation", "user"]
    page = press(form, "save", status=303).follow()
    assert "Policy Standard saved." in text(page)
    assert [(step["delay"], step["targets"][0]["kind"]) for step in steps(pager, "standard")] == [
        (0, "user"),
        (300, "rotation"),
    ]
    form = press(manager.get(f"{URL}/edit").forms[1], "step-remove:0").forms[1]
    form["repeat"] = "0"
    press(form, "save", status=303)
    assert [(step["delay"], step["targets"][0]["kind"]) for step in steps(pager, "standard")] == [
        (0, "rotation")
    ]


@pytest.mark.parametrize("do", ["preview", "save"])
@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "", "Length must be between"),
        ("repeat", "101", "less than or equal to 100"),
        ("steps.1.delay", "", "This is required."),
        ("steps.1.delay", "soon", "Write minutes, from 0 to 10080."),
        ("steps.1.conditions.hours.opens", "25:00", "Choose at least one day."),
        ("steps.1.conditions.wait_for_on_call", "5", "Only a step that notifies a rotation"),
    ],
)
def test_what_is_wrong_is_said_beside_it_and_nothing_is_lost(
    manager: Any, pager: Any, policy: int, do: str, field: str, value: str, said: str
) -> None:
    form = press(manager.get(f"{URL}/edit").forms[1], "step-add").forms[1]
    form["steps.2.add"] = "user:cy"
    form[field] = value
    page = press(form, do, status=422)
    place = field.replace(".opens", ".weekdays")
    error = re.search(rf'id="field-{re.escape(place)}-error">.*?</svg>([^<]+)<', page.text, re.S)
    assert error is not None
    assert said in error[1]
    again = page.forms[1]
    assert again[field].value == value
    assert again["steps.2.targets"].value == "user:cy"
    assert len(steps(pager, "standard")) == 2


def test_hours_are_judged_where_they_stand(manager: Any, policy: int) -> None:
    form = manager.get(f"{URL}/edit").forms[1]
    form.fields["steps.1.conditions.hours.weekdays"][0].checked = True
    form["steps.1.conditions.hours.opens"] = "25:00"
    form["steps.1.conditions.hours.zone"] = "Mars/Olympus"
    page = press(form, "save", status=422)
    for name in ("opens", "closes"):
        assert f'id="field-steps.1.conditions.hours.{name}-error"' in page.text


def test_who_left_can_be_taken_out(manager: Any, pager: Any, policy: int) -> None:
    form = manager.get(f"{URL}/edit").forms[1]
    form["steps.1.targets"].force_value("user:otto")
    page = press(form, "save", status=422)
    assert "user:otto (can no longer be notified)" in text(page)
    assert "“otto” is not a member of the group." in text(page)
    form = press(page.forms[1], "target-remove:1:0").forms[1]
    form["steps.1.add"] = "user:cy"
    press(form, "save", status=303)
    assert steps(pager, "standard")[1]["targets"] == [{"kind": "user", "name": "cy"}]


@pytest.mark.both_databases
def test_two_who_edit_at_once(manager: Any, pager: Any, policy: int) -> None:
    first, second = (manager.get(f"{URL}/edit").forms[1] for _ in range(2))
    first["name"], second["name"] = "First", "Second"
    press(first, "save", status=303)
    page = press(second, "save", status=412)
    assert "your input is kept" in text(page)
    assert page.forms[1]["name"].value == "Second"
    press(page.forms[1], "save", status=303)
    with pager.database.read() as session:
        assert session.get_one(Policy, policy).name == "Second"


def test_a_name_that_is_taken(manager: Any, policy: int) -> None:
    form = manager.get(NEW).forms[1]
    form["name"], form["steps.0.add"] = "Standard", "user:bob"
    assert "There is a policy “standard”" in text(press(form, "save", status=409))


@pytest.mark.both_databases
def test_one_that_is_used_is_not_deleted(manager: Any, pager: Any, policy: int) -> None:
    use(pager, policy)
    assert "This cannot be undone." in text(manager.get(f"{URL}/delete"))
    page = manager.get(f"{URL}/delete").forms[1].submit().follow()
    assert "Routes use this policy" in text(page)
    with pager.database.write() as session:
        session.get_one(Route, pager.route_id).policy_id = None
    page = manager.get(f"{URL}/delete").forms[1].submit().follow()
    assert "Policy Standard deleted." in text(page)
    manager.get(URL, status=404)


@pytest.mark.parametrize("end", ["new", "standard/edit", "standard/delete"])
def test_only_those_who_may_edit(login_as: Any, end: str) -> None:
    address = f"/groups/sre/teams/core/policies/{end}"
    for person, status in (("mona", 200), ("tara", 403), ("vera", 403), ("otto", 404)):
        login_as(person).get(address, status=status)
        if status != 200:
            login_as(person).post(address, {"do": "save"}, status=status)


def test_a_policy_without_steps_of_old_opens(login_as: Any) -> None:
    """The API rejects such a policy, but pages must still work with one."""
    page = login_as("vera").get("/groups/sre/teams/core/policies/standard")
    assert "Nobody else is notified." in text(page)


@pytest.fixture
def doubled(pager: Any) -> str:
    """A policy whose secondary is always the primary; returns its URL."""
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        turns = tuple(session.get_one(User, pager.people[name]) for name in ("ann", "bob", "cy"))
        group = session.get_one(Group, team.group_id)
        web = factories.team(session, group, "web", name="Web")
        second = factories.rotation(session, web, "second", members=turns)
        steps = [
            {"delay": 60, "targets": [{"kind": "rotation", "id": key}]}
            for key in (pager.rotation_id, second.id)
        ]
        factories.policy(session, team, "doubled", steps=steps)
        double_duty.store_summaries(session, double_duty.find_outdated(session, factories.NOW))
    return f"{POLICIES}/doubled"


@pytest.mark.both_databases
def test_the_page_lists_who_is_on_call_twice(browse: Any, policy: int, doubled: str) -> None:
    said = text(browse("cy").get(doubled))
    found = re.findall(
        r"(\w+) is on call in \w+ and Second \(Web\): (\w+ \d+ \w+), \d\d:\d\d", said
    )
    assert found == [("Ann", "Tue 10 Mar"), ("Bob", "Mon 16 Mar"), ("Cy", "Mon 23 Mar")]
    assert "No two steps page the same person" in text(browse("cy").get(URL))


@pytest.mark.both_databases
def test_a_banner_warns_those_who_may_edit(manager: Any, browse: Any, doubled: str) -> None:
    page = manager.get("/policies")
    sentence = "and Second of the policy Doubled (Core): Tue 10 Mar"
    assert "Ann is on call in both" in text(page)
    assert sentence in text(page)
    assert "and 2 more." in text(page)
    assert f'href="{doubled}"' in page.text
    assert sentence not in text(browse("bob").get("/policies"))


@pytest.mark.both_databases
def test_the_api_lists_double_duty(manager: Any, pager: Any, doubled: str) -> None:
    found = manager.get(f"/api{doubled}/quality").json
    assert (found["start"], found["end"]) == ("2026-03-10T12:00:00Z", "2026-03-24T00:00:00Z")
    first = found["double_duty"][0]
    assert (first["user"], first["display_name"], first["second"]) == ("ann", "Ann", "web/second")
    assert (first["start"], first["end"]) == ("2026-03-10T00:00:00Z", "2026-03-16T09:00:00Z")
    assert [each["user"] for each in found["double_duty"]] == ["ann", "bob", "cy"]
