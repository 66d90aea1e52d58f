"""The queries behind pages, on both databases."""

from datetime import timedelta
from typing import Any

import pytest

from incidentrelay.db import Database
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import AlertStatus
from incidentrelay.models import User
from incidentrelay.services.access import memberships
from incidentrelay.services.alerts import actions as alert_actions
from incidentrelay.services.alerts import detail_queries as alert_detail
from incidentrelay.services.alerts import list_queries as alert_list
from incidentrelay.services.alerts.list_queries import AlertCounts, AlertFilter
from incidentrelay.services.oncall import current as on_call_queries
from incidentrelay.services.operations import banners
from incidentrelay.services.people import inbox, profile_queries
from tests.services.conftest import Kinds
from tests.support import pager as pagers
from tests.support.pager import NOW, Pager, a_signal

pytestmark = pytest.mark.both_databases


@pytest.fixture
def pager(database: Database) -> Pager:
    return pagers.build(database)


def roles(session: Any, pager: Pager, name: str = "ann") -> memberships.Roles:
    return memberships.load_roles(session, session.get_one(User, pager.people[name]))


def actor(pager: Pager, name: str) -> Actor:
    return Actor(name=name, via="console", user_id=pager.people[name])


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (AlertFilter(), ["b", "a"]),
        (AlertFilter(status=AlertStatus.ACKNOWLEDGED), ["a"]),
        (AlertFilter(status=AlertStatus.RESOLVED), ["c"]),
        (AlertFilter(query="B IS"), ["b"]),
        (AlertFilter(query="alertname=a"), ["a"]),
        (AlertFilter(query='alertname=~"[abc]"'), ["b", "a"]),
        (AlertFilter(team="core"), ["b", "a"]),
        (AlertFilter(team="other"), []),
    ],
)
def test_the_list_finds(pager: Pager, wanted: AlertFilter, found: list[str]) -> None:
    for key in ("a", "b", "c"):
        pager.take(a_signal(key))
    pager.take(a_signal("c", resolved=True), at=NOW + timedelta(minutes=1))
    with pager.database.write() as session:
        first = alert_list.list_alerts(session, roles(session, pager), AlertFilter()).alerts[-1]
        alert_actions.acknowledge(session, first, actor=actor(pager, "ann"), now=NOW)
    with pager.database.read() as session:
        page = alert_list.list_alerts(session, roles(session, pager), wanted)
    assert [alert.title[0] for alert in page.alerts] == found
    assert set(page.signals.values()) <= {1}
    if wanted == AlertFilter():
        assert page.counts == AlertCounts(1, 1, 1)
        assert page.counts.open == 2


def test_counts_stop_where_nobody_reads_on(pager: Pager, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise each refresh of the list counts the whole history."""
    monkeypatch.setattr(alert_list, "MAX_COUNT", 2)
    pager.take(a_signal("one"), a_signal("two"), a_signal("three"))
    pager.take(*[a_signal(name, resolved=True) for name in ("one", "two", "three")], at=NOW)
    pager.take(a_signal("four"))
    with pager.database.read() as session:
        page = alert_list.list_alerts(session, roles(session, pager), AlertFilter())
    assert page.counts == AlertCounts(firing=1, acknowledged=0, resolved=2)


def test_a_stranger_finds_nothing(pager: Pager) -> None:
    pager.take(a_signal())
    nobody = memberships.Roles(is_admin=False, groups={}, teams={})
    with pager.database.read() as session:
        assert alert_list.list_alerts(session, nobody, AlertFilter()).alerts == ()
        assert alert_list.count_open_alerts(session, nobody) == 0
        assert alert_list.list_teams(session, nobody) == []
        assert inbox.list_inbox(session, nobody, pager.people["ann"]) == ([], None)
        assert on_call_queries.list_on_call(session, nobody, NOW) == []
        assert banners.load_banners(session, nobody, Kinds(), NOW).uncovered == ()


def test_the_frame_of_a_page(pager: Pager) -> None:
    pager.take(a_signal())
    with pager.database.read() as session:
        mine = roles(session, pager)
        assert alert_list.count_open_alerts(session, mine) == 1
        assert [team.slug for team in alert_list.list_teams(session, mine)] == ["core"]
        assert inbox.count_inbox(session, mine, pager.people["ann"]) == 1
        assert inbox.count_inbox(session, mine, pager.people["bob"]) == 0
        (item,), older = inbox.list_inbox(session, mine, pager.people["ann"])
        assert (item.headline, item.alert.team.slug, older) == ("Page", "core", None)
        (duty,) = on_call_queries.list_on_call(session, mine, NOW)
        assert duty.user is not None
        assert duty.user.username == "ann"
        found = banners.load_banners(session, mine, Kinds(), NOW)
        assert (found.uncovered, found.exhausted, found.worker_missing) == ((), 0, True)
        assert profile_queries.list_tokens(session, pager.people["ann"]) == []
        assert profile_queries.list_sessions(session, pager.people["ann"], used_after=NOW) == []


def test_the_actor_of_the_last_change_is_shown(pager: Pager) -> None:
    pager.take(a_signal())
    steps = [
        (None, None),
        (alert_actions.acknowledge, "Acknowledged by Bob"),
        (alert_actions.resolve, "Resolved by Bob"),
    ]
    for action, said in steps:
        with pager.database.write() as session:
            if action is not None:
                action(session, pager.alert(session), actor=actor(pager, "bob"), now=NOW)
            assert alert_detail.pending_end(session, pager.alert(session)) == said


def test_an_alert_without_a_timeline_says_what_it_is(pager: Pager) -> None:
    pager.take(a_signal())
    with pager.database.write() as session:
        alert = pager.alert(session)
        alert.status = AlertStatus.RESOLVED
        assert alert_detail.pending_end(session, alert) == "It is resolved."
        people = alert_detail.list_assignable(session, alert)
    assert [user.username for user in people] == ["ann", "bob", "cy", "fay"]
