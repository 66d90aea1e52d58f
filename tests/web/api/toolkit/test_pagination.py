"""Pages: complete, stable, bounded, and safe against forged cursors."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from incidentrelay.domain.enums import AlertStatus, Severity
from incidentrelay.models import Alert, Signal
from tests.support import factories
from tests.support.client import Client

pytestmark = pytest.mark.both_databases


@pytest.fixture
def alerts(database: Any, cast: Any) -> int:
    """Twenty-five more alerts of core; returns how many there are in all of sre."""
    with database.write() as session:
        team = cast.teams["core"].team
        for number in range(25):
            factories.alert(
                session,
                team,
                title=f"100%_full {number}",
                status=AlertStatus.ACKNOWLEDGED if number % 5 == 0 else AlertStatus.FIRING,
                severity=Severity.LOW if number % 2 else Severity.HIGH,
                last_seen_at=factories.NOW - timedelta(minutes=number // 3),
                labels={"number": str(number), "a b": "x", "zone": "eu" if number < 9 else "us"},
            )
        # Searches ask the signals of an alert.
        without = select(Alert).where(Alert.id.not_in(select(Signal.alert_id)))
        for alert in session.scalars(without).all():
            factories.signal(session, alert)
    return 27


def walk(client: Client, path: str) -> list[Any]:
    """All items of a list, page after page."""
    found: list[Any] = []
    separator, cursor = "&" if "?" in path else "?", ""
    for _ in range(100):
        page = client.get(path + (f"{separator}cursor={cursor}" if cursor else "")).json
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("sort", ["-id", "id", "-last_seen_at", "last_seen_at"])
@pytest.mark.parametrize("limit", [1, 7, 26, 27, 200])
def test_pages_together_are_the_whole_list_in_order(
    login_as: Any, alerts: int, sort: str, limit: int
) -> None:
    items = walk(login_as("vera"), f"/api/alerts?limit={limit}&sort={sort}")
    assert len({item["id"] for item in items}) == len(items) == alerts
    name = sort.lstrip("-")
    keys = [(item[name], item["id"]) for item in items]
    assert keys == sorted(keys, reverse=sort.startswith("-"))


def test_concurrent_inserts_do_not_shift_pages(
    login_as: Any, alerts: int, database: Any, cast: Any
) -> None:
    vera = login_as("vera")
    first = vera.get("/api/alerts?limit=10").json
    with database.write() as session:
        factories.alert(session, cast.teams["core"].team)
    second = vera.get(f"/api/alerts?limit=10&cursor={first['next']}").json
    assert not {item["id"] for item in first["items"]} & {item["id"] for item in second["items"]}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("limit=99999999999999999999999", "limit"),
        ("sort=title", "sort"),
        ("sort=id%3Bdrop table alerts", "sort"),
        ("cursor=x", "cursor"),
        ("cursor=WzFd.x", "cursor"),
        ("cursor=%C3%A9", "cursor"),
        ("colour=red", "colour"),
        ("status=open", "status"),
        ("team=A B", "team"),
        ("q={a=", "q"),
        ('q=a=~"("', "q"),
        ("limit=1&limit=2", "limit"),
    ],
)
def test_a_wrong_parameter_is_named(login_as: Any, query: str, field: str) -> None:
    answer = login_as("vera").get(f"/api/alerts?{query}", status=422)
    assert list(answer.json["errors"]) == [field]


def test_a_cursor_is_good_for_its_own_list_only(login_as: Any, alerts: int, core: str) -> None:
    vera = login_as("vera")
    cursor = vera.get("/api/alerts?limit=1").json["next"]
    vera.get(f"/api/alerts?cursor={cursor}", status=200)
    vera.get(f"/api/alerts?cursor={cursor}&sort=id", status=422)
    vera.get(f"{core}/alerts?cursor={cursor}", status=422)
    vera.get(f"/api/alerts?cursor={cursor[:-1]}x", status=422)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("status=acknowledged", 5),
        ("status=firing", 22),
        ("severity=low", 12),
        ("severity=high&status=acknowledged", 3),
        ("team=core", 26),
        ("team=core&group=apps", 0),
        ("group=sre", 27),
        ("team=web", 0),
        ("route=incoming", 2),
        ("assignee=rex", 0),
        ("q=100%25_full", 25),
        ("q=100%25xfull", 0),
        ("q=FULL 1", 11),
        ("q=zone=eu", 9),
        ('q={zone="eu",number=~"1|2|30"}', 2),
        ("q=zone!=eu", 18),
        ('q="a b"="x"', 25),
        ('q=nothing=""', 27),
        ("q='%3B drop table alerts%3B --", 0),
    ],
)
def test_filters(login_as: Any, alerts: int, query: str, count: int) -> None:
    assert len(walk(login_as("vera"), f"/api/alerts?limit=7&{query}")) == count


@pytest.mark.parametrize(
    ("path", "budget"),
    [
        ("/api/alerts", 5),
        ("/api/teams", 3),
        ("/api/groups", 3),
        ("/api/silences", 3),
        ("/api/channels", 5),
        ("/api/rotations", 5),
        ("/api/policies", 6),
        ("/api/routes", 4),
        ("/api/oncall", 14),
        ("/api/groups/sre/teams", 4),
        ("/api/groups/sre/members", 4),
        ("/api/groups/sre/teams/core/policies", 6),
        ("/api/groups/sre/teams/core/rotations", 7),
        ("/api/me", 3),
    ],
)
def test_lists_cost_the_same_however_long_they_are(
    login_as: Any, alerts: int, query_count: Any, database: Any, cast: Any, path: str, budget: int
) -> None:
    root = login_as("root")
    with query_count() as before:
        root.get(path)
    assert len(before) <= budget, before
    with database.write() as session:
        for number in range(5):
            group = cast.groups["sre"]
            team = factories.team(session, group)
            rotation = factories.rotation(session, team, members=(cast.users["rex"],))
            factories.rotation(session, cast.teams["core"].team, members=(cast.users["tara"],))
            factories.channel(session, team)
            factories.route(session, team, rotation_id=rotation.id)
            factories.policy(session, cast.teams["core"].team)
            factories.silence(session, team)
            factories.alert(session, team)
            person = factories.user(session, f"person{number}")
            factories.group_member(session, group, person)
    with query_count() as after:
        root.get(path)
    assert len(after) == len(before), after
