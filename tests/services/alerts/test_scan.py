"""A page of alerts costs the same in a long history, and says how far it has searched."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from incidentrelay.db import Database
from incidentrelay.domain.alerts import search_windows
from incidentrelay.domain.enums import AlertStatus
from incidentrelay.models import Alert, Group, Team, User
from incidentrelay.services.access import memberships
from incidentrelay.services.alerts import list_queries, scan, search
from incidentrelay.services.alerts.list_queries import AlertFilter
from incidentrelay.services.alerts.scan import AlertOrder, AlertScan
from tests.support import factories
from tests.support import pager as pagers
from tests.support.pager import MINUTE, NOW, Pager
from tests.support.statements import statements

pytestmark = pytest.mark.both_databases
COUNT = 60


@pytest.fixture
def pager(database: Database, monkeypatch: pytest.MonkeyPatch) -> Pager:
    """Sixty alerts, one a minute; every tenth has the label ``rare``, the first is ``first``."""
    monkeypatch.setattr(search_windows, "CAP", 8)
    monkeypatch.setattr(scan, "CAP", 8)
    monkeypatch.setattr(scan, "FIRST_IDS", 4)
    monkeypatch.setattr(scan, "FIRST_TIME", 4 * MINUTE)
    monkeypatch.setattr(scan, "BUDGET", 20)
    monkeypatch.setattr(scan, "SIFTED_BUDGET", 20)
    pager = pagers.build(database)
    with database.write() as session:
        team = session.get_one(Team, pager.team_id)
        other = factories.team(session, session.get_one(Group, team.group_id))
        for number in range(COUNT):
            labels = {"number": str(number)} | ({"rare": "yes"} if number % 10 == 0 else {})
            at = NOW + number * MINUTE
            given = {"title": "first" if number == 0 else "other", "labels": labels, "now": at}
            resolved = {"status": AlertStatus.RESOLVED, "resolved_at": at} if number % 2 else {}
            alert = factories.alert(session, other if number % 3 else team, **given, **resolved)
            factories.signal(session, alert, now=at, resolved_at=resolved.get("resolved_at"))
    return pager


def read(pager: Pager, query: str = "", **given: Any) -> AlertScan:
    wanted = search.parse_filter({"q": query} if query else {})
    teams = given.pop("teams", None)
    with pager.database.read() as session:
        found = search.build_search(session, teams, wanted | given.pop("wanted", {}))
        return scan.scan_alerts(session, found, **{"limit": 5, **given})


def walk(pager: Pager, query: str = "", **given: Any) -> tuple[list[int], int]:
    """The numbers of all alerts, page after page, and the number of pages that stopped early."""
    ids: list[int] = []
    stopped, after = 0, None
    for _ in range(100):
        found = read(pager, query, after=after, **given)
        ids += found.ids
        stopped += found.searched_to is not None
        if found.resume is None:
            return [row_id - 1 for row_id in ids], stopped
        after = found.resume
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("column", [Alert.id, Alert.last_seen_at])
@pytest.mark.parametrize("falling", [True, False])
@pytest.mark.parametrize("mine", [True, False])
@pytest.mark.parametrize(
    ("query", "every"), [("", 1), ("rare=yes", 10), ("rare=~yes", 10), ("number!=x", 1)]
)
def test_pages_together_are_the_list(
    pager: Pager, query: str, every: int, mine: bool, falling: bool, column: Any
) -> None:
    teams = select(Team.id).where(Team.id == pager.team_id) if mine else None
    order = AlertOrder(column, falling)
    numbers = [n for n in range(COUNT) if n % every == 0 and not (mine and n % 3)]
    found, _ = walk(pager, query, teams=teams, order=order)
    assert found == (numbers[::-1] if falling else numbers)


def test_a_search_without_a_hit_stops_and_says_where(pager: Pager) -> None:
    found = read(pager, "no such title")
    assert found.ids == []
    assert found.resume is not None
    assert found.searched_to is not None
    assert NOW < found.searched_to < NOW + COUNT * MINUTE
    numbers, stopped = walk(pager, "first")
    assert numbers == [0]
    assert stopped >= 2


def test_a_label_is_found_however_old_it_is(pager: Pager) -> None:
    found = read(pager, "number=0")
    assert (found.ids, found.resume, found.searched_to) == ([1], None, None)
    assert read(pager, "number=nothing") == AlertScan([])


def test_the_rarest_label_is_searched(pager: Pager) -> None:
    with pager.database.read() as session:
        for query in ("rare=yes,number=0", "number=0,rare=yes"):
            wanted = search.parse_filter({"q": query})
            assert search.build_search(session, None, wanted).label == "number=0"


@pytest.mark.parametrize(
    "query", ["", "first", "number=5", "number=~5", "rare=yes,number=10", "number!=1"]
)
def test_the_number_of_statements_has_a_limit(pager: Pager, query: str) -> None:
    with statements(pager.database) as sent:
        read(pager, query, teams=select(Team.id).where(Team.id == pager.team_id))
    assert len(sent) <= 25


def test_a_full_page_of_the_default_list_costs_two_statements(pager: Pager) -> None:
    with statements(pager.database) as sent:
        read(pager, limit=2)
    assert len(sent) == 2


def test_the_console_list_goes_on_where_its_search_stopped(pager: Pager) -> None:
    with pager.database.read() as session:
        roles = memberships.load_roles(session, session.get_one(User, pager.people["ann"]))
        wanted = AlertFilter(status=AlertStatus.FIRING, query="first")
        page = list_queries.list_alerts(session, roles, wanted)
        for _ in range(20):
            if page.older is None or page.alerts:
                break
            assert page.searched_to is not None
            wanted = AlertFilter(status=AlertStatus.FIRING, query="first", before=page.older)
            page = list_queries.list_alerts(session, roles, wanted)
    assert [alert.title for alert in page.alerts] == ["first"]


def test_too_many_alerts_are_not_counted(pager: Pager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_queries, "MAX_COUNT", 10)
    with pager.database.read() as session:
        roles = memberships.load_roles(session, session.get_one(User, pager.people["ann"]))

        def counts(query: str) -> Any:
            return list_queries.list_alerts(session, roles, AlertFilter(query=query)).counts

        assert (counts("").firing, counts("").resolved) == (10, 10)
        assert (counts("first").firing, counts("number=~1").firing) == (None, None)
        assert (counts("number=6").firing, counts("number=6").open) == (1, 1)


def test_alerts_seen_at_the_same_instant_are_paged_by_id(pager: Pager) -> None:
    with pager.database.write() as session:
        for alert in session.scalars(select(Alert)):
            alert.last_seen_at = NOW + timedelta(hours=1)
    found, _ = walk(pager, order=AlertOrder(Alert.last_seen_at))
    assert found == list(range(COUNT))[::-1]
