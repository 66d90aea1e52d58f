"""Simulations: permissions, requests, and responses."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from incidentrelay.db import Database
from incidentrelay.domain.enums import Outcome
from incidentrelay.models import ApiToken, Base, Route, Team
from incidentrelay.web.api.toolkit.openapi import build_spec
from tests.support import cast as standing_cast
from tests.support.client import Client
from tests.test_openapi import _check

WHERE = "/api/simulate"
ROUTE = "sre/core/incoming"
PROBLEM = {"title": "Disk is full", "severity": "critical", "labels": {"host": "db1"}}
QUESTION = {"route": ROUTE, "payload": PROBLEM}
# The severity counts as a label too, as in every alert.
LABELLED = {"host": "db1", "severity": "low"}


def test_the_answer_says_what_would_happen_and_why(login_as: Any, app: Any) -> None:
    answer = login_as("rex").post_json(WHERE, QUESTION).json
    assert (answer["takes_in"], answer["at"]) == (True, "2026-03-10T12:00:00Z")
    assert {name: answer["route"][name] for name in ("slug", "team", "group", "enabled")} == {
        "slug": "incoming",
        "team": "core",
        "group": "sre",
        "enabled": True,
    }
    (item,) = answer["items"]
    assert (item["outcome"], item["alert_id"], item["assignee"]) == ("created", None, "rex")
    step = item["steps"][0]
    assert (step["at"], step["kind"], step["nobody"]) == (answer["at"], "page", None)
    (person,) = step["people"]
    assert (person["username"], person["display_name"]) == ("rex", "Rex")
    assert person["methods"] == ["inbox", "email"]
    assert item["sentences"][:2] == [
        "Route Incoming accepts it: it has no matchers, so everything matches.",
        "It opens a new alert.",
    ]
    spec = build_spec(app.registry)
    described = spec["paths"][WHERE]["post"]["responses"]["200"]["content"]["application/json"]
    _check(spec, described["schema"], answer, "$")


def test_a_simulation_matches_the_real_response(
    login_as: Any, with_token: Callable[[str], Client], cast: standing_cast.Cast
) -> None:
    payload = [PROBLEM, 7, {**PROBLEM, "labels": {"host": "db2"}}, PROBLEM]
    said = login_as("rex").post_json(WHERE, {"route": ROUTE, "payload": payload}).json["items"]
    source = with_token(cast.teams["core"].token)
    verdicts = source.post_json("/api/integrations/webhook", payload).json
    same = ("outcome", "dedup_key")
    assert [[item[name] for name in same] for item in said] == [
        [verdict[name] for name in same] for verdict in verdicts
    ]
    again = login_as("rex").post_json(WHERE, QUESTION).json["items"][0]
    assert (again["outcome"], again["alert_id"]) == (Outcome.DUPLICATE, verdicts[0]["id"])
    assert again["plan"]["running"] is True


@pytest.mark.both_databases
def test_nothing_is_written(
    login_as: Any, database: Database, query_count: Callable[[], Any]
) -> None:
    client = login_as("rex")
    before = _everything(database)
    with query_count() as statements:
        client.post_json(WHERE, QUESTION)
    assert {statement.split()[0] for statement in statements} == {"SELECT"}
    assert not [statement for statement in statements if " FOR " in statement]
    assert _everything(database) == before


def _everything(database: Database) -> dict[str, list[Any]]:
    with database.read() as session:
        return {
            table.name: sorted(map(repr, session.execute(select(table))))
            for table in Base.metadata.sorted_tables
        }


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("root", 200),
        ("gail", 200),
        ("eddy", 200),
        ("rex", 200),
        ("mona", 200),
        ("tara", 200),
        ("vera", 403),
        ("otto", 404),
    ],
)
def test_responders_of_the_team_may_simulate(login_as: Any, name: str, status: int) -> None:
    login_as(name).post_json(WHERE, QUESTION, status=status)


def test_others_may_not_simulate(
    testapp: Client, with_token: Callable[[str], Client], cast: standing_cast.Cast
) -> None:
    testapp.post_json(WHERE, QUESTION, status=401)
    with_token(cast.teams["core"].token).post_json(WHERE, QUESTION, status=404)
    with_token("resources:write").post_json(WHERE, QUESTION, status=404)
    with_token("alerts:read").post_json(WHERE, QUESTION, status=403)
    with_token("alerts:write").post_json(WHERE, QUESTION, status=200)


def test_a_bound_token_asks_in_its_group_only(
    with_token: Callable[[str], Client], cast: standing_cast.Cast, database: Database
) -> None:
    with database.write() as session:
        for token in session.scalars(select(ApiToken)):
            token.group_id = cast.groups["apps"].id
    with_token("alerts:write").post_json(WHERE, QUESTION, status=404)
    with database.write() as session:
        for token in session.scalars(select(ApiToken)):
            token.group_id = cast.groups["sre"].id
    with_token("alerts:write").post_json(WHERE, QUESTION, status=200)


def test_a_route_is_named_by_id_or_by_address(login_as: Any, cast: standing_cast.Cast) -> None:
    client, route = login_as("rex"), cast.teams["core"].route
    for name in (route.id, str(route.id), ROUTE):
        answer = client.post_json(WHERE, {"route": name, "payload": PROBLEM}).json
        assert answer["route"]["id"] == route.id
    foreign = cast.teams["web"].route.id
    for name in (foreign, "apps/web/incoming", 10**9, "sre/core/none"):
        client.post_json(WHERE, {"route": name, "payload": PROBLEM}, status=404)


def test_labels_are_enough(login_as: Any) -> None:
    question = {"route": ROUTE, "labels": {"host": "db1"}, "title": "Disk", "severity": "low"}
    (item,) = login_as("rex").post_json(WHERE, question).json["items"]
    assert (item["title"], item["severity"], item["labels"]) == ("Disk", "low", LABELLED)
    assert item["status"] == "firing"


def test_the_payload_is_that_of_the_routes_source(login_as: Any, database: Database) -> None:
    with database.write() as session:
        for route in session.scalars(select(Route)):
            route.source = "alertmanager"
    client = login_as("rex")
    client.post_json(WHERE, {"route": ROUTE, "payload": 7}, status=422)
    alert = {"status": "firing", "labels": {"alertname": "Disk"}, "fingerprint": "0011223344556677"}
    answer = client.post_json(WHERE, {"route": ROUTE, "payload": {"alerts": [alert]}}).json
    assert answer["items"][0]["dedup_key"] == "0011223344556677"


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({"payload": PROBLEM}, "route"),
        ({"route": ROUTE}, "payload"),
        ({"route": ROUTE, "severity": "low"}, "payload"),
        ({"route": ROUTE, "payload": PROBLEM, "labels": {"a": "b"}}, "payload"),
        ({"route": "incoming", "payload": PROBLEM}, "route"),
        ({"route": "a/b/C", "payload": PROBLEM}, "route"),
        ({"route": True, "payload": PROBLEM}, "route"),
        ({"route": 0, "payload": PROBLEM}, "route"),
        ({"route": 2**63, "payload": PROBLEM}, "route"),
        ({"route": None, "payload": PROBLEM}, "route"),
        ({"route": ROUTE, "labels": {"a": 1}}, "labels.a.value"),
        ({"route": ROUTE, "labels": {}, "severity": "awful"}, "severity"),
        ({"route": ROUTE, "payload": PROBLEM, "at": "soon"}, "at"),
        ({"route": ROUTE, "payload": PROBLEM, "at": "1066-10-14T09:00:00Z"}, "at"),
        ({"route": ROUTE, "payload": PROBLEM, "at": "9999-12-31T23:59:59Z"}, "at"),
        ({"route": ROUTE, "payload": PROBLEM, "other": 1}, "other"),
    ],
)
def test_bad_questions_name_the_field(login_as: Any, question: Any, field: str) -> None:
    answer = login_as("rex").post_json(WHERE, question, status=422)
    assert field in answer.json["errors"]


def test_a_payload_has_so_many_items(login_as: Any) -> None:
    client = login_as("rex")
    few = client.post_json(WHERE, {"route": ROUTE, "payload": [PROBLEM] * 100}).json["items"]
    assert [item["outcome"] for item in few] == ["created"] + ["duplicate"] * 99
    client.post_json(WHERE, {"route": ROUTE, "payload": [PROBLEM] * 101}, status=413)
    assert client.post_json(WHERE, {"route": ROUTE, "payload": []}).json["items"] == []


def test_another_time_can_be_asked_for(login_as: Any) -> None:
    question = {**QUESTION, "at": "2026-07-01T10:00:00+02:00"}
    answer = login_as("rex").post_json(WHERE, question).json
    assert answer["at"] == answer["items"][0]["steps"][0]["at"] == "2026-07-01T08:00:00Z"


def test_disabled_routes_can_be_simulated(
    login_as: Any, database: Database, cast: standing_cast.Cast
) -> None:
    with database.write() as session:
        session.get_one(Team, cast.teams["core"].team.id).active = False
    answer = login_as("gail").post_json(WHERE, QUESTION).json
    assert (answer["takes_in"], answer["route"]["team_active"]) == (False, False)
    (item,) = answer["items"]
    assert (item["outcome"], item["steps"]) == (None, [])
    assert "Team Core is disabled" in item["sentences"][0]


def test_only_post_is_allowed(login_as: Any) -> None:
    answer = login_as("rex").get(WHERE, status=405)
    assert answer.headers["Allow"] == "POST"
