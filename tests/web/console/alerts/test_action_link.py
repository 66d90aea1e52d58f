"""The page behind a signed link: one person, one alert, no sign-in."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from incidentrelay.domain.actors import SYSTEM, Actor
from incidentrelay.domain.enums import AlertStatus
from incidentrelay.models import AuditEntry, Event, GroupMember, User
from incidentrelay.services.access import login
from incidentrelay.services.access.action_links import sign_act
from incidentrelay.services.access.passwords import hash_password
from incidentrelay.services.alerts import actions as alert_actions
from tests.support.pager import NOW


@pytest.fixture
def link(app: Any, pager: Any, alert_id: int) -> Callable[..., str]:
    """The address of somebody's link, signed now or at another time."""

    def address(name: str = "ann", at: datetime = NOW, alert: int = alert_id) -> str:
        key = app.registry["links"].act_key
        return f"/act/{sign_act(key, alert, pager.people[name], at)}"

    return address


def status(pager: Any) -> AlertStatus:
    with pager.database.read() as session:
        return pager.alert(session).status


def buttons(page: Any) -> list[str]:
    return re.findall(r'name="action" value="(\w+)"', page.text)


def test_looking_never_acts(testapp: Any, pager: Any, link: Any) -> None:
    before = pager.timeline()
    page = testapp.get(link())
    assert "Disk is full" in page.text
    assert buttons(page) == ["acknowledge", "resolve", "snooze", "escalate"]
    testapp.head(link())
    assert (status(pager), pager.timeline()) == (AlertStatus.FIRING, before)


def test_the_address_stays_a_secret(testapp: Any, link: Any) -> None:
    for answer in (testapp.get(link()), testapp.post(link(), {"action": "acknowledge"})):
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers
    assert "<script" not in testapp.get(link()).text


@pytest.mark.parametrize(
    ("action", "after", "shown"),
    [
        ("acknowledge", AlertStatus.ACKNOWLEDGED, "Acknowledged by Ann"),
        ("resolve", AlertStatus.RESOLVED, "Resolved by Ann"),
        ("snooze", AlertStatus.FIRING, "Quiet until Tue 10 Mar, 12:30 UTC."),
        ("escalate", AlertStatus.FIRING, "Assigned to Bob."),
    ],
)
def test_a_button_acts_as_the_person(
    testapp: Any, pager: Any, link: Any, action: str, after: AlertStatus, shown: str
) -> None:
    answer = testapp.post(link(), {"action": action})
    assert answer.status_int == 303
    assert shown in answer.follow().text
    assert status(pager) is after
    with pager.database.read() as session:
        done = session.scalars(select(Event).order_by(Event.id)).all()
    assert (pager.people["ann"], "link") in [(event.actor_id, event.via) for event in done]


def test_an_acknowledged_alert_says_by_whom(testapp: Any, pager: Any, link: Any) -> None:
    testapp.post(link("bob"), {"action": "acknowledge"})
    page = testapp.get(link("ann"))
    assert "Acknowledged by Bob" in page.text
    assert buttons(page) == ["resolve", "snooze", "escalate"]
    testapp.post(link("ann"), {"action": "acknowledge"})
    assert "Acknowledged by Bob" in testapp.get(link("ann")).text


def test_a_resolved_alert_offers_nothing(testapp: Any, link: Any) -> None:
    testapp.post(link("bob"), {"action": "resolve"})
    page = testapp.post(link("ann"), {"action": "acknowledge"}).follow()
    assert "Resolved by Bob" in page.text
    assert buttons(page) == []


def test_another_button_is_refused(testapp: Any, pager: Any, link: Any) -> None:
    testapp.post(link(), {"action": "delete"}, status=422)
    testapp.post(link(), status=422)
    assert status(pager) is AlertStatus.FIRING


def refused(testapp: Any, pager: Any, path: str) -> str:
    page = testapp.get(path, status=410)
    assert "This link no longer works" in page.text
    assert "Disk" not in page.text
    assert 'href="/alerts"' in page.text
    assert buttons(page) == []
    testapp.post(path, {"action": "acknowledge"}, status=410)
    assert status(pager) is AlertStatus.FIRING
    return page.text


def test_an_old_link_says_so(testapp: Any, pager: Any, link: Any) -> None:
    week = timedelta(days=7)
    testapp.get(link(at=NOW - week + timedelta(minutes=1)), status=200)
    text = refused(testapp, pager, link(at=NOW - week - timedelta(minutes=1)))
    assert "This link has expired." in text


@pytest.mark.parametrize("change", [lambda path: path[:-2], lambda path: path + "x"])
def test_a_damaged_link_is_no_link(testapp: Any, pager: Any, link: Any, change: Any) -> None:
    assert "This link is incomplete." in refused(testapp, pager, change(link()))


@pytest.mark.parametrize("path", ["/act", "/act/", "/act/a/b"])
def test_what_is_no_link_at_all_is_not_found(testapp: Any, path: str) -> None:
    testapp.get(path, status=404)


def test_a_link_ends_with_the_account(testapp: Any, pager: Any, link: Any) -> None:
    with pager.database.write() as session:
        session.get_one(User, pager.people["ann"]).active = False
    refused(testapp, pager, link())


def test_a_link_ends_with_the_role(testapp: Any, pager: Any, link: Any) -> None:
    with pager.database.write() as session:
        member = select(GroupMember).where(GroupMember.user_id == pager.people["ann"])
        session.scalars(member).one().role = "viewer"
    refused(testapp, pager, link())


def test_a_link_ends_with_the_password(testapp: Any, pager: Any, link: Any) -> None:
    signed = link(at=NOW - timedelta(hours=1))
    testapp.get(signed, status=200)
    with pager.database.write() as session:
        ann = session.get_one(User, pager.people["ann"])
        ann.password_hash = hash_password("the old password")
        actor = Actor(name="ann", via="console", user_id=ann.id)
        words = {"current": "the old password", "new": "quite another one"}
        login.change_password(session, ann, **words, actor=actor, now=NOW)
    refused(testapp, pager, signed)
    testapp.get(link(at=NOW + timedelta(seconds=1)), status=200)
    with pager.database.write() as session:
        session.execute(delete(AuditEntry))
    refused(testapp, pager, signed)


@pytest.mark.parametrize(
    "changes", [[{"password": "a new good one"}], [{"active": False}, {"active": True}]]
)
def test_a_link_ends_with_what_an_admin_changes(
    testapp: Any, pager: Any, link: Any, changes: list[dict[str, Any]]
) -> None:
    """Also if the person is active again: the link may have been read meanwhile."""
    from incidentrelay.services.tenancy import users

    signed = link(at=NOW - timedelta(hours=1))
    testapp.get(signed, status=200)
    for change in changes:
        with pager.database.write() as session:
            ann = session.get_one(User, pager.people["ann"])
            users.update(session, ann, change, actor=SYSTEM, now=NOW, confirm=True)
    refused(testapp, pager, signed)
    testapp.get(link(at=NOW + timedelta(seconds=1)), status=200)


def test_a_changed_name_ends_no_link(testapp: Any, pager: Any, link: Any) -> None:
    from incidentrelay.services.tenancy import users

    with pager.database.write() as session:
        ann = session.get_one(User, pager.people["ann"])
        actor = Actor(name="ann", via="console", user_id=ann.id)
        users.update(session, ann, {"display_name": "Anna"}, actor=actor, now=NOW)
    assert "for Anna only" in testapp.get(link(at=NOW - timedelta(hours=1))).text


def test_what_the_source_resolved_is_said_in_its_words(testapp: Any, pager: Any, link: Any) -> None:
    from tests.support.pager import a_signal

    pager.take(a_signal("Disk", resolved=True))
    assert "Resolved by the source." in testapp.get(link()).text


def test_an_alert_that_changes_meanwhile_is_shown_as_it_is(
    testapp: Any, pager: Any, link: Any
) -> None:
    with pager.database.write() as session:
        bob = Actor(name="bob", via="console", user_id=pager.people["bob"])
        alert_actions.resolve(session, pager.alert(session), actor=bob, now=NOW)
    answer = testapp.post(link(), {"action": "snooze"})
    assert "Resolved by Bob" in answer.follow().text
