"""One action on many alerts through the API."""

from typing import Any

import pytest

URL = "/api/alerts/bulk"


@pytest.fixture
def alert(cast: Any) -> int:
    found: int = cast.teams["core"].alert.id
    return found


def test_each_alert_has_its_own_outcome(login_as: Any, alert: int) -> None:
    body = {"action": "ack", "ids": [alert, 9999]}
    answer = login_as("rex").post_json(URL, body).json
    assert answer["more"] is False
    assert answer["results"] == [
        {"id": alert, "outcome": "done", "reason": ""},
        {"id": 9999, "outcome": "not_found", "reason": "There is no such alert."},
    ]
    again = login_as("rex").post_json(URL, body).json
    assert again["results"][0]["outcome"] == "unchanged"


def test_who_may_what(login_as: Any, testapp: Any, alert: int) -> None:
    body = {"action": "resolve", "ids": [alert]}
    testapp.post_json(URL, body, status=401)
    for who, outcome in (("otto", "not_found"), ("vera", "refused"), ("rex", "done")):
        (result,) = login_as(who).post_json(URL, body).json["results"]
        assert result["outcome"] == outcome, who


def test_a_filter_is_that_of_the_list(login_as: Any, alert: int) -> None:
    rex = login_as("rex")
    wanted = {"status": "firing", "team": "core", "q": '{alertname!=""}'}
    listed = [row["id"] for row in rex.get("/api/alerts", wanted).json["items"]]
    assert alert in listed
    answer = rex.post_json(URL, {"action": "ack", "filter": wanted}).json
    assert [result["id"] for result in answer["results"]] == listed
    assert {result["outcome"] for result in answer["results"]} == {"done"}
    assert rex.post_json(URL, {"action": "ack", "filter": wanted}).json["results"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"ids": [1]}, "action"),
        ({"action": "explode", "ids": [1]}, "action"),
        ({"action": "ack"}, "ids"),
        ({"action": "ack", "ids": []}, "ids"),
        ({"action": "ack", "ids": [0]}, "ids.0"),
        ({"action": "ack", "ids": ["x"]}, "ids.0"),
        ({"action": "ack", "ids": list(range(1, 502))}, "ids"),
        ({"action": "ack", "ids": [1], "filter": {}}, "ids"),
        ({"action": "ack", "filter": {"moon": "full"}}, "filter.moon"),
        ({"action": "ack", "filter": {"q": "{a="}}, "q"),
        ({"action": "ack", "ids": [1], "text": "x"}, "text"),
        ({"action": "snooze", "ids": [1]}, "until"),
        ({"action": "snooze", "ids": [1], "until": "2020-01-01T00:00:00Z"}, "until"),
        ({"action": "assign", "ids": [1]}, "username"),
        ({"action": "assign", "ids": [1], "username": "nobody"}, "username"),
        ({"action": "comment", "ids": [1]}, "text"),
    ],
)
def test_wrong_values_are_named(login_as: Any, body: dict[str, Any], field: str) -> None:
    answer = login_as("rex").post_json(URL, body, status=422)
    assert field in answer.json["errors"]


@pytest.mark.parametrize("address", [URL, "/api/alerts/{alert}/assign"])
def test_nobody_learns_who_else_has_an_account(login_as: Any, alert: int, address: str) -> None:
    """Otto is in another group: to rex he is nobody, whatever is asked."""
    address, rex = address.format(alert=alert), login_as("rex")
    more = {"action": "assign", "ids": [alert]} if address == URL else {}
    told = [
        rex.post_json(address, {**more, "username": name}, status=422).json["errors"]
        for name in ("otto", "nobody-at-all")
    ]
    assert told[0] == told[1]
    rex.post_json(address, {**more, "username": "vera"}, status=200)


def test_a_token_needs_the_scope_to_write(with_token: Any, alert: int) -> None:
    body = {"action": "ack", "ids": [alert]}
    with_token("alerts:read").post_json(URL, body, status=403)
    assert with_token("alerts:write").post_json(URL, body).json["results"][0]["outcome"] == "done"
