"""The inbox, who is on call, the API's description, and what frames every page."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from incidentrelay.domain.enums import AlertStatus
from incidentrelay.models import GroupMember, Team, TeamMember, User
from incidentrelay.services.common import heartbeats
from incidentrelay.services.people import inbox
from incidentrelay.web.console.toolkit.assets import read_manifest
from tests.support import factories
from tests.support.markup import Page
from tests.support.pager import NOW, a_signal


def test_the_inbox_has_one_line_for_each_alert(browse: Any, pager: Any, alert_id: int) -> None:
    pager.run_due(NOW + timedelta(minutes=1))
    page = browse("ann").get("/inbox")
    assert page.text.count('href="/alerts/') == 1
    assert "Reminder" in page.text
    assert re.search(r'Inbox <span class="ir-count">1</span>', page.text)
    assert "Nothing here" in browse("bob").get("/inbox").text


def test_the_inbox_goes_on_at_the_next_page(
    browse: Any, pager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "PAGE_SIZE", 2)
    for number in range(3):
        pager.take(a_signal(f"disk-{number}"))
    page = browse("ann").get("/inbox")
    assert re.findall(r">(disk-\d) is full", page.text) == ["disk-2", "disk-1"]
    assert re.findall(r">(disk-\d) is full", page.click("Older").text) == ["disk-0"]


def test_the_inbox_of_somebody_who_left_is_empty(browse: Any, pager: Any, alert_id: int) -> None:
    client = browse("ann")
    with pager.database.write() as session:
        for model in (GroupMember, TeamMember):
            session.query(model).filter_by(user_id=pager.people["ann"]).delete()
    assert "Nothing here" in client.get("/inbox").text


def test_who_is_on_call_with_how_to_reach_them(browse: Any, pager: Any) -> None:
    with pager.database.write() as session:
        session.get_one(User, pager.people["ann"]).phone = "+4930123456"
    page = browse("bob").get("/oncall")
    assert "Ann" in page.text
    assert 'href="tel:+4930123456"' in page.text
    assert 'href="mailto:ann@example.test"' in page.text
    assert "Next: Bob, from Mon 16 Mar, 09:00 UTC" in " ".join(
        re.sub(r"<[^>]+>", "", page.text).split()
    )


@pytest.mark.parametrize(
    ("phone", "email", "links"),
    [
        (
            "javascript:alert(1)",
            "JavaScript:alert(2)",
            ["tel:javascript%3Aalert%281%29", "mailto:JavaScript%3Aalert%282%29"],
        ),
        # An address may hold characters that mean something in a link.
        (
            "+4930123456",
            "ann?bcc=eve&x%0a@example.test",
            ["tel:+4930123456", "mailto:ann%3Fbcc%3Deve%26x%250a@example.test"],
        ),
    ],
)
def test_a_contact_is_a_link_to_a_program_that_reaches_people(
    browse: Any, pager: Any, phone: str, email: str, links: list[str]
) -> None:
    with pager.database.write() as session:
        ann = session.get_one(User, pager.people["ann"])
        ann.phone, ann.email = phone, email
    for path in ("/oncall", f"/rotations/{pager.rotation_id}"):
        page = Page(browse("bob").get(path).text)
        found = [str(attrs["href"]) for attrs in page.all("a")]
        assert [href for href in found if not href.startswith(("/", "#"))] == links


def test_who_is_on_call_elsewhere_is_not_shown(login_as: Any) -> None:
    assert "Otto" not in login_as("vera").get("/oncall").text
    assert "Rex" not in login_as("otto").get("/oncall").text


def test_the_api_is_described_to_everybody(testapp: Any, login_as: Any) -> None:
    for client in (testapp, login_as("vera")):
        page = client.get("/docs")
        assert 'data-spec-url="/api/openapi.json"' in page.text
        client.get("/api/openapi.json", status=200)


@pytest.mark.parametrize("path", ["/alerts", "/inbox", "/oncall", "/me", "/alerts/1"])
def test_strangers_are_sent_to_sign_in(testapp: Any, cast: Any, path: str) -> None:
    assert testapp.get(path).location.startswith("http://localhost/login")


def test_a_page_has_the_headers_that_protect_it(browse: Any) -> None:
    headers = browse("ann").get("/alerts").headers
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_built_files_may_be_kept(browse: Any) -> None:
    page = browse("ann").get("/alerts")
    path = re.search(r'href="(/static/app[^"]+\.css)"', page.text)
    assert path is not None
    answer = browse("ann").get(path[1])
    assert "max-age=31536000" in answer.headers["Cache-Control"]
    assert answer.content_type == "text/css"


def test_without_built_files_pages_still_work(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) == {}


def text(page: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


def test_a_worker_that_is_silent_is_missed(browse: Any, pager: Any) -> None:
    client = browse("ann")
    assert "No worker has been seen yet" in text(client.get("/oncall"))
    with pager.database.write() as session:
        heartbeats.record_heartbeat(session, heartbeats.WORKER, NOW - timedelta(minutes=6))
    assert "No worker has been seen for 6 min" in text(client.get("/oncall"))
    with pager.database.write() as session:
        heartbeats.record_heartbeat(session, heartbeats.WORKER, NOW - timedelta(minutes=4))
    assert "No worker" not in text(client.get("/oncall"))


def test_a_rotation_without_anybody_is_shown_to_its_group(
    browse: Any, pager: Any, login_as: Any
) -> None:
    with pager.database.write() as session:
        for name in ("ann", "bob", "cy"):
            session.get_one(User, pager.people[name]).active = False
        fay = session.get_one(User, pager.people["fay"])
        fay.zone = "Asia/Tokyo"
    said = "Nobody is on call for Rotation"
    assert said in text(browse("fay").get("/oncall"))
    assert said not in text(login_as("vera").get("/oncall"))
    assert said in text(login_as("root").get("/oncall"))


def test_many_rotations_without_anybody_are_summed_up(browse: Any, pager: Any) -> None:
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        for number in range(5):
            rotation = factories.rotation(session, team, f"empty{number}")
            factories.route(session, team, rotation_id=rotation.id)
    page = text(browse("ann").get("/oncall"))
    assert "Nobody is on call for Empty2" in page
    assert "Nobody is on call for Empty3" not in page
    assert "Nobody is on call for 2 more rotations." in page


def test_a_plan_that_ended_without_a_reaction_is_shown(
    browse: Any, pager: Any, login_as: Any, alert_id: int
) -> None:
    from incidentrelay.domain.escalation.plan import Plan, Progress

    said = "1 alert has reached the end of the escalation plan"
    assert said not in text(browse("ann").get("/oncall"))
    with pager.database.write() as session:
        alert = pager.alert(session)
        plan = Plan.from_json(alert.plan)
        alert.plan = Plan(plan.steps[:1]).to_json()
        alert.progress = Progress(step=1, run=1, due=NOW).to_json()
        alert.wake_at = NOW
    pager.run_due(NOW)
    assert said in text(browse("ann").get("/oncall"))
    assert said not in text(login_as("vera").get("/oncall"))
    browse("ann").post(f"/alerts/{alert_id}/acknowledge")
    assert said not in text(browse("ann").get("/oncall"))


def test_the_menu_counts_what_one_sees(login_as: Any, cast: Any, database: Any) -> None:
    with database.write() as session:
        team = session.merge(cast.teams["core"].team)
        factories.alert(session, team, status=AlertStatus.RESOLVED)
    assert "Alerts 2 Inbox On call" in text(login_as("vera").get("/oncall"))
    assert "Alerts 3 Inbox On call" in text(login_as("root").get("/oncall"))


def test_times_are_those_of_the_readers_wall(browse: Any, pager: Any) -> None:
    with pager.database.write() as session:
        session.get_one(User, pager.people["ann"]).zone = "Asia/Tokyo"
    assert "Since Mon 9 Mar, 18:00 JST" in text(browse("ann").get("/oncall"))
