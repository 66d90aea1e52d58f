"""The list of rotations and the page of one."""

import re
from datetime import timedelta
from typing import Any

import pytest

from incidentrelay.models import Rotation, Team, User
from tests.support import factories
from tests.support.pager import NOW

OFFICE = [{"weekday": day, "opens": "09:00", "closes": "17:00"} for day in range(5)]


def text(page: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


@pytest.fixture
def url(pager: Any) -> str:
    """The address of the pager's rotation: ann (now), bob, cy by weeks."""
    with pager.database.read() as session:
        slug = session.get_one(Rotation, pager.rotation_id).slug
    return f"/groups/ops/teams/core/rotations/{slug}"


@pytest.fixture
def office(pager: Any) -> str:
    """A rotation of bob's that has gaps."""
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        rotation = factories.rotation(session, team, "office")
        bob = session.get_one(User, pager.people["bob"])
        factories.revision(session, rotation, (bob,), windows=OFFICE)
    return "/groups/ops/teams/core/rotations/office"


@pytest.mark.both_databases
def test_the_list_says_who_is_on_call_and_when_nobody_is(
    browse: Any, url: str, office: str
) -> None:
    page = browse("ann").get("/rotations")
    assert {f'href="{url}"', f'href="{office}"'} <= set(
        re.findall(r'href="/groups[^"]*"', page.text)
    )
    said = text(page)
    assert "Ann Until Mon 16 Mar, 09:00 UTC Next: Bob, from Mon 16 Mar, 09:00 UTC" in said
    assert "Nobody: Tue 10 Mar, 17:00 UTC – Wed 11 Mar, 09:00 UTC" in said
    assert "New rotation" not in said


@pytest.mark.both_databases
def test_the_list_has_what_one_may_see(login_as: Any) -> None:
    assert login_as("vera").get("/rotations").text.count('class="ir-card ir-on-call-card') == 2
    assert login_as("otto").get("/rotations").text.count('class="ir-card ir-on-call-card') == 1
    assert "/rotations/new" in login_as("mona").get("/rotations").text
    assert "/rotations/new" not in login_as("rex").get("/rotations").text


def test_a_paused_rotation_says_so(browse: Any, pager: Any, url: str) -> None:
    with pager.database.write() as session:
        session.get_one(Rotation, pager.rotation_id).enabled = False
    assert "Paused It pages nobody." in text(browse("ann").get("/rotations"))
    assert "This rotation is paused" in text(browse("ann").get(url))


def test_the_statements_of_the_list_do_not_grow(
    browse: Any, pager: Any, query_count: Any, url: str
) -> None:
    client = browse("ann")
    client.get("/rotations")
    with query_count() as few:
        client.get("/rotations")
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        members = tuple(session.get_one(User, id) for id in pager.people.values())
        for _ in range(4):
            factories.rotation(session, team, members=members)
    with query_count() as many:
        client.get("/rotations")
    assert len(many) == len(few) <= 35


@pytest.mark.both_databases
def test_the_page_says_who_has_it_and_who_follows(browse: Any, url: str) -> None:
    page = browse("ann").get(url)
    said = text(page)
    assert "On call now Ann (you) Until Mon 16 Mar, 09:00 UTC" in said
    assert "Bob Mon 16 Mar, 09:00 UTC – Mon 23 Mar, 09:00 UTC" in said
    assert "Weekly, hands over on Mondays at 09:00 (UTC): Ann, Bob, Cy ." in said
    assert "reminded every 1 min until" in said
    assert "Nobody is on call" not in said
    assert "/calendar?view=month&amp;rotation=core/" in page.text


def test_the_statements_of_the_page_do_not_grow(
    browse: Any, pager: Any, query_count: Any, url: str
) -> None:
    client = browse("ann")
    client.get(url)
    with query_count() as few:
        client.get(url)
    with pager.database.write() as session:
        rotation = session.get_one(Rotation, pager.rotation_id)
        for hours, name in enumerate(("bob", "cy", "fay", "bob"), start=1):
            start = NOW + timedelta(hours=2 * hours)
            who, end = session.get_one(User, pager.people[name]), start + timedelta(hours=1)
            factories.override(session, rotation, who, starts_at=start, ends_at=end)
    with query_count() as many:
        client.get(url)
    assert len(many) == len(few) <= 35


def test_the_page_can_be_reached_by_its_number(browse: Any, pager: Any) -> None:
    assert "On call now" in text(browse("ann").get(f"/rotations/{pager.rotation_id}"))


def test_the_page_warns_of_gaps_and_tells_what_is_not_good(browse: Any, office: str) -> None:
    said = text(browse("ann").get(office))
    assert "Nobody is on call 10 times in the next 14 days." in said
    assert "The first time is Tue 10 Mar, 17:00 UTC – Wed 11 Mar, 09:00 UTC." in said
    assert "Only Mon–Fri 09:00–17:00." in said
    assert "Bob is the only active member" in said
    assert "There are more." in said


def test_times_are_in_the_readers_zone_or_else_in_the_rotations(
    browse: Any, pager: Any, url: str
) -> None:
    with pager.database.write() as session:
        rotation = session.get_one(Rotation, pager.rotation_id)
        members = tuple(session.get_one(User, id) for id in pager.people.values())
        since = NOW - timedelta(days=30)
        factories.revision(session, rotation, members, zone="Europe/Berlin", effective_from=since)
        session.get_one(User, pager.people["bob"]).zone = "Asia/Tokyo"
    assert "09:00 CET" in text(browse("ann").get(url))
    assert "17:00 JST" in text(browse("bob").get(url))


@pytest.mark.parametrize(
    ("person", "shown", "hidden"),
    [
        ("gail", ("/edit", "/delete", "/overrides/new", "/cover"), ()),
        ("mona", ("/edit", "/delete", "/overrides/new"), ()),
        ("tara", ("/overrides/new", "/take", "/swap?theirs="), ("/edit", "/delete")),
        ("vera", (), ("/edit", "/delete", "/overrides/new", "/take", "/cover", "/swap")),
        ("root", ("/edit", "/delete", "/overrides/new"), ("/take", "/swap")),
    ],
)
def test_buttons_are_there_for_those_who_may(
    login_as: Any, database: Any, cast: Any, person: str, shown: Any, hidden: Any
) -> None:
    url = "/groups/sre/teams/core/rotations/primary"
    page = login_as(person).get(url).text.replace("/overrides/1/", "/other/")
    assert [end for end in shown if f"{url}{end}" not in page] == []
    assert [end for end in hidden if f"{url}{end}" in page] == []


def test_strangers_do_not_find_it(login_as: Any) -> None:
    login_as("otto").get("/groups/sre/teams/core/rotations/primary", status=404)
