"""The checklist until the first page, and the teams that cannot be paged."""

import re
from typing import Any

import pytest

from incidentrelay.models import IntakeRequest, Rotation, Route, Team, User
from incidentrelay.services.access.secrets import TokenKind, new_token
from incidentrelay.services.operations.first_steps import FirstStep
from incidentrelay.web.console.first_steps.first_steps import WORDS
from tests.support import factories
from tests.support.client import Client
from tests.support.pager import a_signal
from tests.web.console.rotations.test_rotations import text


@pytest.fixture
def newcomer(app: Any, database: Any) -> Client:
    """The only user, an admin, in an empty installation."""
    cookie = new_token(TokenKind.SESSION)
    with database.write() as session:
        user = factories.user(session, "admin", is_admin=True)
        factories.web_session(session, user, cookie)
    return Client(app, cookie=cookie)


def done(page: Any) -> int:
    found = re.search(r"(\d+) of 13 done", text(page))
    assert found is not None
    return int(found[1])


def next_step(page: Any) -> str:
    found = re.search(r'aria-current="step".*?<strong>(.*?)</strong>', page.text, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.both_databases
def test_an_empty_installation_starts_with_the_checklist(newcomer: Client) -> None:
    assert newcomer.get("/").location == "http://localhost/first-steps"
    page = newcomer.get("/first-steps")
    assert done(page) == 0
    assert next_step(page) == "Create a group"


@pytest.mark.both_databases
def test_from_a_team_to_an_acknowledged_test(browse: Any, pager: Any) -> None:
    """The checklist ends with a test alert that the newcomer acknowledges."""
    with pager.database.write() as session:
        ann = session.get_one(User, pager.people["ann"])
        ann.is_admin = True
        team = session.get_one(Team, pager.team_id)
        factories.team_member(session, team, ann)
    client = browse("ann")
    page = client.get("/").follow()
    assert next_step(page) == "Copy the route’s token"
    with pager.database.write() as session:
        row = IntakeRequest(route_id=pager.route_id, body=b"{}", outcomes=[], address="10.0.0.7")
        row.received_at = factories.NOW
        session.add(row)
    page = client.get("/first-steps")
    assert next_step(page) == "Send a test alert"
    page = page.click("Send a test alert").forms[1].submit().follow()
    page = client.get("/first-steps")
    assert next_step(page) == "Acknowledge the alert"
    alert = page.click("Open the alert")
    client.post(f"{alert.request.path}/acknowledge")
    page = client.get("/first-steps")
    assert done(page) == 13
    assert "Paging works" in text(page)
    assert client.get("/").location == "http://localhost/alerts"


def test_each_step_has_words() -> None:
    assert set(WORDS) == set(FirstStep)


@pytest.mark.both_databases
def test_one_sees_what_one_may(login_as: Any, newcomer: Client, database: Any) -> None:
    page = login_as("rex").get("/first-steps")
    assert not re.search(r'href="/(routes|channels|rotations)/new"', page.text)
    assert login_as("rex").get("/").location == "http://localhost/alerts"
    assert "apps" not in text(login_as("vera").get("/first-steps")).lower()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("nothing", ""),
        ("off", "No route is switched on, so no alert arrives."),
        ("nobody", "nobody is on call in"),
        ("paused", "is paused."),
        ("loose", "the route leads to no rotation and no policy."),
        ("mute", "Ann is on call, but has no confirmed contact method."),
        ("policy", ""),
    ],
)
def test_why_a_team_cannot_be_paged(browse: Any, pager: Any, change: str, said: str) -> None:
    with pager.database.write() as session:
        route = session.get_one(Route, pager.route_id)
        rotation = session.get_one(Rotation, pager.rotation_id)
        team = session.get_one(Team, pager.team_id)
        if change == "off":
            route.enabled = False
        elif change == "nobody":
            route.rotation_id = factories.rotation(session, team, "empty").id
        elif change == "paused":
            rotation.enabled = False
        elif change == "loose":
            route.rotation_id = None
        elif change == "policy":
            route.rotation_id, route.policy_id = None, factories.policy(session, team).id
        elif change == "mute":
            session.execute(factories.models.ContactMethod.__table__.delete())
            session.get_one(User, pager.people["ann"]).email = ""
    page = text(browse("cy").get("/first-steps"))
    assert ("These teams cannot be paged yet" in page) == bool(said)
    assert said in page


def test_the_statements_do_not_grow(browse: Any, pager: Any, query_count: Any) -> None:
    client = browse("ann")
    client.get("/first-steps")
    with query_count() as few:
        client.get("/first-steps")
    with pager.database.write() as session:
        group = session.get_one(Team, pager.team_id).group_id
        for _ in range(4):
            team = factories.team(session, session.get_one(factories.models.Group, group))
            rotation = factories.rotation(session, team)
            factories.route(session, team, rotation_id=rotation.id)
    pager.take(a_signal("a"))
    with query_count() as many:
        client.get("/first-steps")
    assert len(many) <= len(few) + 1, many
