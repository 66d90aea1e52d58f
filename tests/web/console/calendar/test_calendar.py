"""The calendar's page: now is Tuesday 10 March 2026, 12:00 UTC."""

import re
from datetime import date, timedelta
from types import SimpleNamespace as Thing
from typing import Any

import pytest

from incidentrelay.domain.calendar_grid import CalendarView, days_of
from incidentrelay.models import Group, Rotation, Team, User
from incidentrelay.web.console.calendar.grid import clocks, initials, title
from tests.support import factories
from tests.support.markup import Page
from tests.support.pager import NOW

HOUR = timedelta(hours=1)


def text(source: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", source).split())


def part(page: Any, name: str) -> str:
    """The picture (``ir-cal``), the list (``ir-agenda``) or the table (``ir-cal-table``)."""
    starts = [page.text.index(f'"{one}"') for one in ("ir-cal", "ir-agenda")]
    starts += [page.text.index("ir-cal-table"), len(page.text)]
    place = ("ir-cal", "ir-agenda", "ir-cal-table").index(name)
    return str(page.text[starts[place] : starts[place + 1]])


def rows(page: Any) -> list[str]:
    body = part(page, "ir-cal-table").split("<tbody>")[1].split("</tbody>")[0]
    return [text(row) for row in body.split("</tr>")[:-1]]


def link(page: Any, label: str) -> str:
    found = re.search(rf'<a[^>]*href="([^"]+)"[^>]*>(?:(?!</a>).)*{label}', page.text, re.DOTALL)
    assert found is not None
    return found[1].replace("&amp;", "&")


def test_a_week_says_the_same_three_times(browse: Any, pager: Any) -> None:
    page = browse("ann").get("/calendar")
    assert "9 – 15 March 2026" in page.text
    name = rotation_name(pager)
    assert rows(page) == [
        f"Cy Mon 2 Mar, 09:00 UTC Mon 9 Mar, 09:00 UTC Core · {name} No",
        f"Ann Now Mon 9 Mar, 09:00 UTC Mon 16 Mar, 09:00 UTC Core · {name} No",
    ]
    picture = part(page, "ir-cal")
    assert re.findall(r"ir-cal-slot slots-(\d+)", picture) == ["36", "636", "144", "528"]
    assert "Week 11" in picture
    assert picture.count("ir-cal-head ir-cal-weekend") == 2
    assert len(re.findall(r"ir-cal-head[^\"]* ir-cal-today", picture)) == 1
    days = part(page, "ir-agenda").split("<section")[1:]
    assert len(days) == 7
    assert "Monday 9 March" in text(days[0])
    assert text(days[0]).endswith("Cy until 09:00 Ann from 09:00")
    assert 'id="today"' in days[1]
    assert text(days[1]).endswith("Ann all day")


def rotation_name(pager: Any) -> str:
    with pager.database.read() as session:
        return str(session.get_one(Rotation, pager.rotation_id).name)


def test_gaps_and_overrides_are_words(browse: Any, pager: Any) -> None:
    with pager.database.write() as session:
        rotation = session.get_one(Rotation, pager.rotation_id)
        bob = session.get_one(User, pager.people["bob"])
        factories.override(session, rotation, bob, starts_at=NOW + HOUR, ends_at=NOW + 3 * HOUR)
        factories.rotation(session, session.get_one(Team, pager.team_id), "empty")
    page = browse("ann").get("/calendar")
    assert rows(page)[0] == (
        "Nobody Now Mon 9 Mar, 00:00 UTC or earlier Mon 16 Mar, 00:00 UTC or later Core · Empty No"
    )
    name = rotation_name(pager)
    took = f"Bob Tue 10 Mar, 13:00 UTC Tue 10 Mar, 15:00 UTC Core · {name} Override"
    assert took in rows(page)
    assert "Bob 13:00 – 15:00 Override" in text(part(page, "ir-agenda"))
    assert 'title="Bob, override: Tue 10 Mar, 13:00 UTC – Tue 10 Mar, 15:00 UTC"' in page.text
    assert "Nobody all day" in text(part(page, "ir-agenda"))
    assert "Nobody" in text(part(page, "ir-cal"))


def test_the_picture_is_for_eyes_only_and_the_table_for_everybody(browse: Any) -> None:
    page = Page(browse("ann").get("/calendar").text)
    picture = [attrs for attrs in page.all("div") if attrs.get("class") == "ir-cal"]
    assert [attrs.get("aria-hidden") for attrs in picture] == ["true"]
    assert [attrs["scope"] for attrs in page.all("th")] == ["col"] * 5
    assert len(page.all("caption")) == 1


def test_a_month_has_its_weeks(browse: Any, pager: Any) -> None:
    page = browse("ann").get("/calendar?view=month&date=2026-11-23")
    assert "November 2026" in page.text
    picture = part(page, "ir-cal")
    assert re.findall(r"Week (\d+)", picture) == ["44", "45", "46", "47", "48", "49"]
    assert picture.count("ir-cal-outside") == 6 + 6
    assert "ir-cal-now" not in picture
    days = part(page, "ir-agenda").split("<section")[1:]
    assert len(days) == 30
    assert '<details class="ir-card ir-cal-table">' in page.text


@pytest.mark.parametrize(
    ("query", "zone", "said"),
    [
        ("date=2026-03-29&zone=Europe/Berlin", "Europe/Berlin", "Clocks go forward, 23 h"),
        ("date=2026-10-25&zone=Europe/Berlin", "Europe/Berlin", "Clocks go back, 25 h"),
        ("date=2026-03-29", "Asia/Tokyo", None),
        ("date=2026-03-29&zone=Mars/Phobos", "Asia/Tokyo", None),
    ],
)
def test_the_zone_is_chosen(
    browse: Any, pager: Any, query: str, zone: str, said: str | None
) -> None:
    with pager.database.write() as session:
        session.get_one(User, pager.people["ann"]).zone = "Asia/Tokyo"
    page = browse("ann").get(f"/calendar?{query}")
    assert f"in the time zone {zone}" in page.text
    assert ("Clocks go" in page.text) is (said is not None)
    if said:
        assert part(page, "ir-cal").count(said) == part(page, "ir-agenda").count(said) == 1
    offered = text(page.text.split('id="zone"')[1].split("</select>")[0])
    assert "Asia/Tokyo (yours)" in offered
    assert "UTC" in offered


def test_ways_keep_what_was_asked_for(browse: Any, pager: Any) -> None:
    client = browse("ann")
    asked = "team=core&rotation=core%2Fx&zone=Europe%2FBerlin"
    page = client.get(f"/calendar?view=month&date=2026-01-31&{asked}")
    for label, way in {
        "Previous month": "view=month&date=2025-12-01",
        "Next month": "view=month&date=2026-02-01",
        "Today": "view=month&date=2026-03-10",
        "Week": "view=week&date=2026-01-31",
    }.items():
        assert link(page, label).removesuffix("#today") == f"/calendar?{way}&{asked}"
    assert link(page, "Show all rotations") == (
        "/calendar?view=month&date=2026-01-31&zone=Europe%2FBerlin"
    )


def test_a_team_and_a_rotation_can_be_chosen(browse: Any, pager: Any) -> None:
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        edge = factories.team(session, session.get_one(Group, team.group_id), "edge")
        factories.rotation(session, edge, "first")
        factories.rotation(session, edge, "second")
    client = browse("ann")
    page = client.get("/calendar?team=edge")
    assert [row.split(" · ")[1] for row in rows(page)] == ["First No", "Second No"]
    offered = page.text.split('id="rotation"')[1].split("</select>")[0]
    assert re.findall(r'value="([^"]+)"', offered) == ["edge/first", "edge/second"]
    page = client.get("/calendar?rotation=edge%2Fsecond")
    assert [row.split(" · ")[1] for row in rows(page)] == ["Second No"]
    assert '<option value="edge/second" selected>' in page.text
    assert "No such rotation" in client.get("/calendar?team=core&rotation=edge%2Ffirst").text


@pytest.mark.parametrize(
    "query",
    [
        "date=0001-01-01",
        "date=9999-12-31",
        "date=" + "2" * 500,
        "team=" + "x" * 500 + "&rotation=" + "/" * 500,
        "view=&date=&team=&rotation=&zone=../etc",
    ],
)
def test_an_address_that_says_nonsense_shows_this_week(browse: Any, pager: Any, query: str) -> None:
    page = browse("ann").get(f"/calendar?{query}", status=200)
    assert "9 – 15 March 2026" in page.text
    assert len(rows(page)) == 2


@pytest.mark.parametrize("day", ["1900-03-26", "2199-10-09"])
@pytest.mark.parametrize("view", CalendarView)
def test_the_first_and_the_last_days_open(
    browse: Any, pager: Any, day: str, view: CalendarView
) -> None:
    client = browse("ann")
    page = client.get(f"/calendar?view={view}&date={day}", status=200)
    assert day[:4] in page.text
    for label in ("Previous", "Next"):
        client.get(link(page, label), status=200)


def test_others_rotations_are_not_shown(login_as: Any) -> None:
    assert "Otto" not in login_as("vera").get("/calendar").text
    assert "Rex" not in login_as("otto").get("/calendar").text
    page = login_as("otto").get("/calendar?team=core")
    assert "No such rotation" in page.text


def test_strangers_are_sent_to_sign_in(testapp: Any, cast: Any) -> None:
    assert testapp.get("/calendar").location.startswith("http://localhost/login")


def test_the_menu_leads_to_it(browse: Any) -> None:
    page = browse("ann").get("/oncall")
    assert "Calendar" in text(page.text.split("</nav>")[0])
    current = browse("ann").get("/calendar").text
    assert re.search(r'href="/calendar" aria-current="page"', current)


@pytest.mark.parametrize(
    ("name", "short"),
    [("Anna Larsen", "AL"), ("anna", "A"), ("Maria del Carmen Ruiz", "MR"), ("", "")],
)
def test_initials(name: str, short: str) -> None:
    assert initials(name) == short


@pytest.mark.parametrize(
    ("view", "day", "said"),
    [
        (CalendarView.MONTH, date(2026, 11, 23), "November 2026"),
        (CalendarView.WEEK, date(2026, 11, 25), "23 – 29 November 2026"),
        (CalendarView.WEEK, date(2026, 12, 1), "30 November – 6 December 2026"),
        (CalendarView.WEEK, date(2027, 1, 1), "28 December 2026 – 3 January 2027"),
    ],
)
def test_titles(view: CalendarView, day: date, said: str) -> None:
    assert title(view, days_of(view, day, "UTC"), day) == said


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (24.0, ""),
        (23.0, "Clocks go forward, 23 h"),
        (25.0, "Clocks go back, 25 h"),
        (24.5, "Clocks go back, 24 h 30 min"),
        (0.0, "This day does not exist here"),
    ],
)
def test_what_the_clocks_do(hours: float, said: str) -> None:
    length = timedelta(hours=hours)
    day: Any = Thing(length=length, change=length - timedelta(days=1))
    assert clocks(day) == said
