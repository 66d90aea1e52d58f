"""A search asks each signal: an alert is found if one signal matches all matchers."""

from typing import Any

import pytest
from sqlalchemy import select

from incidentrelay.db import Database
from incidentrelay.domain.enums import AlertStatus, SignalStatus
from incidentrelay.models import Alert, Team, User
from incidentrelay.services.access import memberships
from incidentrelay.services.alerts import bulk, list_queries, search
from incidentrelay.services.alerts.list_queries import AlertFilter
from tests.support import factories
from tests.support import pager as pagers
from tests.support.pager import MINUTE, NOW, Pager
from tests.support.statements import statements

pytestmark = pytest.mark.both_databases
EARLIER = {"status": SignalStatus.RESOLVED, "resolved_at": NOW - MINUTE}
LAST = {"status": SignalStatus.RESOLVED, "resolved_at": NOW}
# Each alert: its status, and its signals as (labels, other columns).
# What the signals have in common is in the alert's labels.
ALERTS: dict[str, tuple[AlertStatus, list[tuple[dict[str, str], dict[str, Any]]]]] = {
    "pair": (
        AlertStatus.FIRING,
        [({"env": "dev", "host": "a"}, {}), ({"env": "prod", "host": "b"}, {})],
    ),
    "half": (
        AlertStatus.ACKNOWLEDGED,
        [({"env": "dev", "host": "c"}, {}), ({"env": "prod", "host": "d"}, EARLIER)],
    ),
    "over": (
        AlertStatus.RESOLVED,
        [({"env": "dev"}, LAST), ({"env": "prod"}, LAST), ({"env": "test"}, EARLIER)],
    ),
    "same": (
        AlertStatus.FIRING,
        [({"zone": "x", "host": "e"}, {}), ({"zone": "x", "host": "f"}, {})],
    ),
    "bare": (AlertStatus.FIRING, [({"a.b": "1"}, {}), ({"host": "", "a.b": "2"}, {})]),
}


@pytest.fixture
def pager(database: Database) -> Pager:
    pager = pagers.build(database)
    with database.write() as session:
        team = session.get_one(Team, pager.team_id)
        for title, (status, signals) in ALERTS.items():
            shared = set.intersection(*(set(labels.items()) for labels, _ in signals))
            given = {"title": title, "status": status, "labels": dict(shared)}
            if status is AlertStatus.RESOLVED:
                given["resolved_at"] = NOW
            alert = factories.alert(session, team, **given)
            for number, (labels, other) in enumerate(signals):
                key = f"{title}-{number}"
                factories.signal(session, alert, dedup_key=key, labels=labels, **other)
    return pager


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("env=dev", ["half", "over", "pair"]),
        ("env=prod", ["over", "pair"]),
        ("env=test", []),
        ("env=~test", []),
        ('env!="prod"', ["bare", "half", "over", "pair", "same"]),
        ("zone=x", ["same"]),
        ("zone=x,host=f", ["same"]),
        ("zone=x,host=a", []),
        ("zone!=x,host=a", ["pair"]),
        ("zone!=x,host=f", []),
        ("zone=~x|y,host=f", ["same"]),
        # One signal must match all of them.
        ("env=dev,host=a", ["pair"]),
        ("env=dev,host=b", []),
        ("env=dev,host=~a|b", ["pair"]),
        ("env=dev,host!=a", ["half", "over"]),
        # The database cannot evaluate these.
        ('env=~"pr.*"', ["over", "pair"]),
        ('env!~"dev|prod"', ["bare", "same"]),
        ('"a.b"="2"', ["bare"]),
        ('"a.b"="2",host=""', ["bare"]),
        # A missing label equals the empty string.
        ('host=""', ["bare", "over"]),
        ('host!=""', ["half", "pair", "same"]),
        ('env=""', ["bare", "same"]),
    ],
)
def test_an_alert_is_found_by_the_labels_of_one_signal(
    pager: Pager, query: str, found: list[str]
) -> None:
    with pager.database.read() as session:
        roles = memberships.load_roles(session, session.get_one(User, pager.people["ann"]))
        listed = [
            alert.title
            for status in AlertStatus
            for alert in list_queries.list_alerts(
                session, roles, AlertFilter(status=status, query=query)
            ).alerts
        ]
        ids, more = bulk.find_alerts(session, roles, search.parse_filter({"q": query}))
        titles = session.scalars(select(Alert.title).where(Alert.id.in_(ids))).all()
    assert sorted(listed) == sorted(titles) == found
    assert not more


def test_counts_ask_signals_too(pager: Pager) -> None:
    with pager.database.read() as session:
        roles = memberships.load_roles(session, session.get_one(User, pager.people["ann"]))
        page = list_queries.list_alerts(session, roles, AlertFilter(query="env=dev"))
    assert (page.counts.firing, page.counts.acknowledged, page.counts.resolved) == (1, 1, 1)


@pytest.mark.parametrize(("query", "more"), [("env=dev", 1), ('env=~"dev|x"', 0)])
def test_a_search_costs_hardly_more_statements_than_the_list(
    pager: Pager, query: str, more: int
) -> None:
    """With labels, one statement asks which of them is the rarest."""
    costs = []
    with pager.database.read() as session:
        roles = memberships.load_roles(session, session.get_one(User, pager.people["ann"]))
        for wanted in (AlertFilter(), AlertFilter(query=query)):
            with statements(pager.database) as sent:
                assert list_queries.list_alerts(session, roles, wanted).alerts
            costs.append(len(sent))
    assert costs[1] == costs[0] + more
