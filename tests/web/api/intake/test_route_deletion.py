"""Deleting a route that has open alerts, through the API."""

from typing import Any

import pytest

from tests.support.client import Client

ROUTES = "/api/groups/sre/teams/core/routes"


@pytest.fixture
def route(login_as: Any) -> str:
    mona = login_as("mona")
    body = {"name": "Old", "source": "webhook"}
    return str(mona.post_json(ROUTES, body, status=201).json["url"])


@pytest.fixture
def alert(login_as: Any, route: str) -> str:
    """An open alert of the route."""
    verdict = login_as("mona").post_json(f"{route}/test", {}).json
    return f"/api/alerts/{verdict['id']}"


def test_a_route_without_open_alerts_is_deleted(login_as: Any, route: str) -> None:
    mona: Client = login_as("mona")
    mona.delete(f"{route}?resolve=perhaps", status=422)
    mona.delete(route, status=204)
    mona.get(route, status=404)


def test_open_alerts_are_named_and_can_be_resolved(login_as: Any, route: str, alert: str) -> None:
    mona: Client = login_as("mona")
    for query in ("", "?resolve=false"):
        assert "One alert" in mona.delete(route + query, status=409).json["detail"]
    mona.delete(f"{route}?resolve=true", status=204)
    assert mona.get(alert).json["status"] == "resolved"
    last = mona.get(f"{alert}/events").json["items"][-1]
    assert (last["kind"], last["text"]) == ("resolved", "Resolved by mona, who deleted the route")


def test_a_token_that_may_not_resolve_alerts_does_not(
    with_token: Any, route: str, alert: str
) -> None:
    with_token("resources:write").delete(f"{route}?resolve=true", status=403)
