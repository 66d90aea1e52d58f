"""The page of one alert, and its actions."""

import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidentrelay.domain.enums import AlertStatus
from incidentrelay.models import Alert, Route
from tests.support.markup import Page
from tests.support.pager import NOW, a_signal


def state(pager: Any, alert_id: int) -> Alert:
    with pager.database.read() as session:
        return pager.alert(session, alert_id)


def offered(page: Any) -> list[str]:
    return re.findall(r'action="/alerts/\d+/([\w-]+)"', page.text)


def test_the_page_tells_the_story(browse: Any, alert_id: int) -> None:
    page = browse("ann").get(f"/alerts/{alert_id}")
    for text in ("Disk is full", "Assigned to Ann", "Page: Ann", "Page to Ann"):
        assert text in page.text
    assert "In 1 min: remind Ann" in page.text
    assert "In 3 min: escalate to Bob" in page.text
    assert offered(page) == [
        "acknowledge",
        "resolve",
        "escalate",
        "reassign-to-next",
        "snooze",
        "assign",
        "comment",
    ]


def test_who_was_paged_reads_why(browse: Any, alert_id: int) -> None:
    mine = browse("ann").get(f"/alerts/{alert_id}").text
    assert "Why was I paged?" in mine
    assert mine.count('class="ir-yours"') == 1
    assert "You were paged by inbox and e-mail: on call in" in mine
    others = browse("bob").get(f"/alerts/{alert_id}").text
    assert "Why?" in others
    assert "ir-yours" not in others
    assert "Ann was paged by inbox and e-mail: on call in" in others


def test_the_signals_of_a_group_are_listed(browse: Any, pager: Any, alert_id: int) -> None:
    alone = browse("ann").get(f"/alerts/{alert_id}").text
    assert 'id="signals-head"' not in alone
    with pager.database.write() as session:
        session.get_one(Route, pager.route_id).group_by = ["cluster"]
    hosts = [
        a_signal(f"db{n}", labels={"cluster": "x", "host": f"db{n}"}, link="http://p.test/")
        for n in range(1, 24)
    ]
    (verdict, *_) = pager.take(*hosts)
    evil = a_signal("db1", resolved=True)
    pager.take(evil, a_signal("bad", labels={"cluster": "x"}, link="JavaScript:1"))
    page = browse("ann").get(f"/alerts/{verdict.id}")
    assert "db2 is full" in page.text
    assert "host=db2" in page.text
    assert "cluster=x" not in page.text
    assert "<summary>15 more</summary>" in page.text
    assert "4 more are not listed here." in page.text
    assert not re.search(r'href="java', page.text, re.IGNORECASE)


def test_hostile_text_stays_text(browse: Any, pager: Any) -> None:
    evil = "</title><script>alert(1)</script>"
    signal = a_signal(
        "x",
        title=evil,
        description=evil,
        labels={"alertname": evil},
        annotations={"runbook_url": "javascript:alert(1)", evil: evil},
        link="JaVaScRiPt:alert(1)",
    )
    (verdict,) = pager.take(signal)
    page = browse("ann").get(f"/alerts/{verdict.id}")
    assert "<script>alert" not in page.text
    assert not re.search(r'href="java', page.text, re.IGNORECASE)


def test_any_title_is_shown_as_it_is(browse: Any, pager: Any, alert_id: int) -> None:
    client = browse("ann")

    @settings(deadline=None)
    @given(st.text(min_size=1))
    def shown(title: str) -> None:
        with pager.database.write() as session:
            pager.alert(session, alert_id).title = title
        assert title in Page(client.get(f"/alerts/{alert_id}").text).text

    shown()


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        ("https://wiki.example.net/a?b=1&c=2", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("", False),
        (None, False),
    ],
)
def test_a_link_of_a_payload_is_one_only_if_it_is_a_web_address(
    browse: Any, pager: Any, alert_id: int, link: str | None, shown: bool
) -> None:
    with pager.database.write() as session:
        pager.alert(session, alert_id).annotations = {"runbook_url": link}
    page = Page(browse("ann").get(f"/alerts/{alert_id}").text)
    assert (link in [attrs.get("href") for attrs in page.all("a")]) is shown


def test_the_first_button_is_the_primary_action(browse: Any, alert_id: int) -> None:
    page = browse("ann").get(f"/alerts/{alert_id}")
    assert offered(page)[0] == "acknowledge"
    group = page.text.split('aria-label="Actions"')[1].split("</details>")[0]
    assert group.count("btn-primary") == 1


def test_a_live_part_is_the_alert_alone(browse: Any, alert_id: int) -> None:
    part = browse("ann").get(f"/alerts/{alert_id}", headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert offered(part)[0] == "acknowledge"


@pytest.mark.parametrize(
    ("action", "fields", "said", "status"),
    [
        ("acknowledge", {}, "Nobody else is paged.", AlertStatus.ACKNOWLEDGED),
        ("resolve", {}, "Resolved.", AlertStatus.RESOLVED),
        ("escalate", {}, "The next step of the plan runs now.", AlertStatus.FIRING),
        ("reassign-to-next", {}, "Passed to Bob, who is paged now.", AlertStatus.FIRING),
        ("assign", {"username": "cy"}, "Assigned to Cy, who is paged now.", AlertStatus.FIRING),
        ("comment", {"text": "Looking."}, "Looking.", AlertStatus.FIRING),
        ("snooze", {"for": "60"}, "Quiet until Tue 10 Mar, 13:00 UTC.", AlertStatus.FIRING),
    ],
)
def test_an_action_is_done_and_said(
    browse: Any, pager: Any, alert_id: int, action: str, fields: Any, said: str, status: Any
) -> None:
    answer = browse("ann").post(f"/alerts/{alert_id}/{action}", fields)
    assert (answer.status_int, answer.location) == (303, f"http://localhost/alerts/{alert_id}")
    page = answer.follow()
    assert said in page.text
    assert state(pager, alert_id).status is status


def test_giving_back_starts_the_plan_again(browse: Any, pager: Any, alert_id: int) -> None:
    client = browse("ann")
    client.post(f"/alerts/{alert_id}/acknowledge")
    page = client.get(f"/alerts/{alert_id}")
    assert offered(page)[:2] == ["resolve", "unacknowledge"]
    assert "What happens next" not in page.text
    client.post(f"/alerts/{alert_id}/unacknowledge")
    assert state(pager, alert_id).status is AlertStatus.FIRING


def test_a_button_of_an_old_page_changes_nothing(browse: Any, pager: Any, alert_id: int) -> None:
    client = browse("ann")
    client.post(f"/alerts/{alert_id}/resolve")
    page = client.post(f"/alerts/{alert_id}/snooze", {"for": "30"}).follow()
    assert "An alert that is resolved cannot be changed by snooze." in page.text
    assert offered(page) == ["comment"]
    page = client.post(f"/alerts/{alert_id}/resolve").follow()
    assert "It was already resolved." in page.text


def test_whoever_is_second_is_told(browse: Any, alert_id: int) -> None:
    browse("ann").post(f"/alerts/{alert_id}/acknowledge")
    page = browse("bob").post(f"/alerts/{alert_id}/acknowledge").follow()
    assert "It was already acknowledged." in page.text
    assert "Acknowledged by Ann" in page.text


@pytest.mark.parametrize(
    ("action", "fields", "said"),
    [
        ("snooze", {}, "Choose a duration."),
        ("snooze", {"for": "99999999"}, "Choose a duration."),
        ("assign", {}, "Choose somebody."),
        ("assign", {"username": "nobody"}, "There is no user with this name."),
        ("comment", {"text": "  "}, "Write between 1 and"),
        ("comment", {"text": "a\x00b"}, "Control characters are not allowed here."),
        ("comment", {"text": "x" * 10_001}, "Write at most 10000 characters."),
    ],
)
def test_what_makes_no_sense_is_explained(
    browse: Any, pager: Any, alert_id: int, action: str, fields: Any, said: str
) -> None:
    before = pager.timeline()
    page = browse("ann").post(f"/alerts/{alert_id}/{action}", fields).follow()
    assert said in page.text
    assert pager.timeline() == before


def test_a_snooze_lasts_until_the_morning_of_the_person(
    browse: Any, pager: Any, alert_id: int
) -> None:
    browse("ann").post(f"/alerts/{alert_id}/snooze", {"for": "morning"})
    assert state(pager, alert_id).quiet_until == NOW + timedelta(hours=21)


def test_a_message_is_shown_once_and_to_its_session_alone(
    browse: Any, app: Any, alert_id: int
) -> None:
    client = browse("ann")
    answer = client.post(f"/alerts/{alert_id}/comment", {"text": "Hello"})
    cookie = client.cookies["incidentrelay-flash"]
    other = browse("bob")
    other.set_cookie("incidentrelay-flash", cookie)
    said = "Comment added."
    assert said not in other.get("/alerts").text
    assert said in answer.follow().text
    assert said not in client.get("/alerts").text


@pytest.mark.parametrize("garbage", ["x", "W10.x", "é", '"'])
def test_a_message_that_was_not_signed_is_not_shown(browse: Any, garbage: str) -> None:
    headers = {"Cookie": f"incidentrelay-flash={garbage}".encode().decode("latin-1")}
    assert browse("ann").get("/login", headers=headers).status_int < 400


def test_one_page_for_each_role(login_as: Any, cast: Any) -> None:
    path = f"/alerts/{cast.teams['core'].alert.id}"
    assert offered(login_as("vera").get(path)) == []
    assert "acknowledge" in offered(login_as("tara").get(path))
    login_as("vera").post(f"{path}/comment", {"text": "x"}, status=403)
    login_as("otto").get(path, status=404)
    login_as("otto").post(f"{path}/acknowledge", status=404)
    login_as("root").get(path, status=200)


def test_a_form_needs_its_token(browse: Any, pager: Any, alert_id: int) -> None:
    client = browse("ann")
    headers = {"X-CSRF-Token": "0" * 64}
    client.post(f"/alerts/{alert_id}/resolve", headers=headers, status=400)
    client.post(f"/alerts/{alert_id}/resolve", headers={"Sec-Fetch-Site": "cross-site"}, status=400)
    assert state(pager, alert_id).status is AlertStatus.FIRING


@pytest.mark.parametrize("path", ["acknowledge", "acknowledge/more", "nonsense", "0", "events"])
def test_what_is_no_page_is_not_found(browse: Any, alert_id: int, path: str) -> None:
    browse("ann").get(f"/alerts/{alert_id}/{path}", status=404)


def test_the_page_costs_the_same_however_long_the_story(
    browse: Any, pager: Any, alert_id: int, query_count: Any
) -> None:
    client, costs = browse("ann"), []
    for comments in (1, 8):
        for _ in range(comments):
            client.post(f"/alerts/{alert_id}/comment", {"text": "x"})
        client.get("/alerts")
        with query_count() as statements:
            client.get(f"/alerts/{alert_id}")
        costs.append(len(statements))
    assert costs[0] == costs[1]
    assert costs[0] <= 33
