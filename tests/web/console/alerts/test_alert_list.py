"""The list of alerts: visibility, filters, order, and cost."""

import re
from typing import Any

import pytest

from incidentrelay.domain.enums import AlertStatus
from incidentrelay.services.alerts import list_queries as alert_list
from incidentrelay.services.alerts import scan
from tests.support import factories
from tests.support.markup import Page


def titles(page: Any) -> list[str]:
    return re.findall(r'<div class="ir-row-title"><a href="[^"]+">([^<]+)</a>', page.text)


@pytest.fixture
def core(database: Any, cast: Any) -> Any:
    """A function that adds alerts to the team core, whose own alert is resolved."""
    with database.write() as session:
        session.merge(cast.teams["core"].alert).status = AlertStatus.RESOLVED
        session.merge(cast.teams["edge"].alert).status = AlertStatus.RESOLVED

    def add(title: str, **given: Any) -> int:
        with database.write() as session:
            team = session.merge(cast.teams["core"].team)
            route = session.merge(cast.teams["core"].route)
            alert = factories.alert(session, team, route, title=title, **given)
            factories.signal(session, alert)
            return alert.id

    return add


def test_open_alerts_come_newest_first(login_as: Any, core: Any) -> None:
    core("first")
    core("second", status=AlertStatus.ACKNOWLEDGED)
    core("over", status=AlertStatus.RESOLVED)
    page = login_as("rex").get("/alerts")
    assert titles(page) == ["second", "first"]
    assert "/static/" in page.text


def test_an_alert_can_be_chosen_by_status(login_as: Any, core: Any) -> None:
    core("first")
    core("second", status=AlertStatus.ACKNOWLEDGED)
    client = login_as("rex")
    assert titles(client.get("/alerts?status=firing")) == ["first"]
    assert titles(client.get("/alerts?status=acknowledged")) == ["second"]
    assert titles(client.get("/alerts?status=nonsense")) == ["second", "first"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("disk", ["Disk on db-01", "disk on db-02"]),
        ("%", []),
        ("host=db-01", ["Disk on db-01"]),
        ('host=~"db-.*"', ["Disk on db-01", "disk on db-02"]),
        ('host!="db-01"', ["Latency", "disk on db-02"]),
    ],
)
def test_a_search_looks_at_titles_and_labels(
    login_as: Any, core: Any, query: str, found: list[str]
) -> None:
    core("Disk on db-01", labels={"host": "db-01"})
    core("disk on db-02", labels={"host": "db-02"})
    core("Latency", labels={"host": "web"})
    page = login_as("rex").get("/alerts", {"query": query})
    assert sorted(titles(page)) == found


def test_the_tabs_keep_the_search(login_as: Any, core: Any) -> None:
    address = {"status": "firing", "query": "a&b=c", "team": "core"}
    page = Page(login_as("rex").get("/alerts", address).text)
    links = [attrs for attrs in page.all("a") if "query=a%26b%3Dc" in (attrs.get("href") or "")]
    assert [link["href"] for link in links][1] == "/alerts?status=firing&query=a%26b%3Dc&team=core"
    assert [link.get("aria-current") for link in links] == [None, "true", None, None]


def test_a_search_that_cannot_be_understood_is_explained(login_as: Any, core: Any) -> None:
    core("first")
    page = login_as("rex").get("/alerts", {"query": 'host=~"("'}, status=200)
    assert "This search is not valid. At character" in page.text
    assert titles(page) == []


def test_pages_follow_each_other_without_holes(
    login_as: Any, core: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_list, "PAGE_SIZE", 2)
    for number in range(5):
        core(f"alert {number}", labels={"parity": str(number % 2)})
    client = login_as("rex")
    for query, expected in (("", [4, 3, 2, 1, 0]), ('parity=~"0"', [4, 2, 0])):
        page = client.get("/alerts", {"query": query})
        seen = titles(page)
        while 'rel="next"' in page.text:
            page = page.click("Older")
            seen += titles(page)
        assert seen == [f"alert {number}" for number in expected]


def test_one_sees_only_what_one_may(login_as: Any, cast: Any) -> None:
    core, web = cast.teams["core"].alert.title, cast.teams["web"].alert.title
    assert core in titles(login_as("vera").get("/alerts"))
    assert web not in titles(login_as("vera").get("/alerts"))
    assert titles(login_as("otto").get("/alerts")) == [web]
    assert len(titles(login_as("root").get("/alerts"))) == 3
    assert titles(login_as("otto").get("/alerts?team=core")) == []


@pytest.mark.parametrize(("name", "buttons"), [("rex", 2), ("vera", 0), ("tara", 1)])
def test_the_button_is_for_those_who_may_respond(login_as: Any, name: str, buttons: int) -> None:
    page = login_as(name).get("/alerts")
    assert page.text.count('class="ir-row-action"') == buttons


def test_the_button_acknowledges_and_leads_back(login_as: Any, cast: Any) -> None:
    page = login_as("tara").get("/alerts?status=firing&team=core")
    form = next(form for form in page.forms.values() if form.action.endswith("/acknowledge"))
    answer = form.submit()
    assert answer.location == "http://localhost/alerts?status=firing&team=core"
    assert "Nobody else is paged." in answer.follow().text


def test_a_live_part_is_the_list_alone(login_as: Any, core: Any) -> None:
    core("first")
    part = login_as("rex").get("/alerts", headers={"HX-Request": "true"})
    assert titles(part) == ["first"]
    assert "<html" not in part.text


def test_the_number_of_statements_does_not_grow(login_as: Any, core: Any, query_count: Any) -> None:
    client = login_as("rex")
    costs = []
    for number in (1, 9):
        for _ in range(number):
            core("one more")
        with query_count() as statements:
            assert len(titles(client.get("/alerts"))) >= number
        costs.append(len(statements))
    assert costs[0] == costs[1]
    assert costs[0] <= 21
    with query_count() as statements:
        client.get("/alerts", headers={"HX-Request": "true"})
    assert len(statements) <= 8


def test_a_team_is_offered_only_to_those_who_see_it(login_as: Any) -> None:
    assert '<option value="web">' in login_as("otto").get("/alerts").text
    assert '<option value="core">' not in login_as("otto").get("/alerts").text


def test_tokens_are_not_for_the_console(cast: Any, testapp: Any) -> None:
    testapp.with_token(cast.tokens["alerts:read"]).get("/alerts", status=404)


def test_a_search_that_stopped_shows_how_far_it_got(
    login_as: Any, core: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "FIRST_IDS", 2)
    monkeypatch.setattr(scan, "BUDGET", 2)
    core("needle")
    for number in range(6):
        core(f"hay {number}")
    client = login_as("rex")
    page = client.get("/alerts?query=needle")
    assert titles(page) == []
    assert "Nothing found so far" in page.text
    assert "Nothing found<" not in page.text
    for _ in range(5):
        page = page.click("Older")
        if titles(page):
            break
    assert titles(page) == ["needle"]


def test_a_page_of_the_api_is_complete_or_says_how_far_it_got(
    login_as: Any, core: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        core(f"hay {number}")
    client = login_as("rex")
    found = client.get("/api/alerts?q=needle").json
    assert found == {"items": [], "next": None, "searched_to": None}
    monkeypatch.setattr(scan, "FIRST_IDS", 2)
    monkeypatch.setattr(scan, "BUDGET", 2)
    found = client.get("/api/alerts?q=needle").json
    assert found["items"] == []
    assert found["next"]
    assert found["searched_to"].endswith("Z")
