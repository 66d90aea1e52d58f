"""Trying a route out through the API."""

from typing import Any

import pytest

ROUTE = "/api/groups/sre/teams/core/routes"


@pytest.fixture
def route(login_as: Any) -> str:
    mona = login_as("mona")
    body = {"name": "Try", "source": "webhook", "rotation": "primary", "matchers": ["env=prod"]}
    rotations = mona.get("/api/groups/sre/teams/core/rotations").json["items"]
    body["rotation"] = rotations[0]["slug"]
    return str(mona.post_json(ROUTE, body, status=201).json["url"])


def test_a_test_pages_whoever_is_on_call(login_as: Any, route: str) -> None:
    mona = login_as("mona")
    refused = mona.post_json(f"{route}/test", {}).json
    assert (refused["outcome"], refused["id"]) == ("rejected", None)
    verdict = mona.post_json(f"{route}/test", {"labels": {"env": "prod"}}).json
    assert (verdict["outcome"], verdict["assignee"]) == ("created", "Rex")
    kinds = [e["kind"] for e in mona.get(f"/api/alerts/{verdict['id']}/events").json["items"]]
    assert kinds[:2] == ["created", "paged"]


@pytest.mark.parametrize(("who", "status"), [("vera", 403), ("rex", 403), ("otto", 404)])
def test_only_managers_test(login_as: Any, route: str, who: str, status: int) -> None:
    login_as(who).post_json(f"{route}/test", {}, status=status)


def test_a_route_that_is_switched_off_says_so(login_as: Any, route: str) -> None:
    mona = login_as("mona")
    mona.patch_json(route, {"enabled": False})
    assert "disabled" in mona.post_json(f"{route}/test", {}, status=409).json["detail"]
