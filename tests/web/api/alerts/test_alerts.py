"""Actions on alerts through the API."""

from typing import Any

import pytest

VERBS: list[tuple[str, dict[str, Any] | None]] = [
    ("ack", None),
    ("unack", None),
    ("snooze", {"until": "2026-03-10T13:00:00Z"}),
    ("assign", {"username": "vera"}),
    ("comment", {"text": "Looking."}),
    ("resolve", None),
]


@pytest.fixture
def alert(cast: Any) -> str:
    return f"/api/alerts/{cast.teams['core'].alert.id}"


def send(client: Any, url: str, body: dict[str, Any] | None, **expect: Any) -> Any:
    return client.post_json(url, body, **expect) if body else client.post(url, **expect)


@pytest.mark.parametrize(("name", "body"), VERBS)
def test_only_responders_respond(
    login_as: Any, testapp: Any, alert: str, name: str, body: dict[str, Any] | None
) -> None:
    url = f"{alert}/{name}"
    send(testapp, url, body, status=401)
    send(login_as("otto"), url, body, status=404)
    send(login_as("vera"), url, body, status=403)
    for who in ("tara", "mona", "rex", "eddy", "gail", "root"):
        assert send(login_as(who), url, body).json["url"] == alert


def test_the_life_of_an_alert(login_as: Any, alert: str) -> None:
    rex = login_as("rex")
    taken = rex.post(f"{alert}/ack").json
    assert (taken["status"], taken["acknowledged_by"], taken["assignee"]) == (
        "acknowledged",
        "rex",
        "rex",
    )
    assert rex.post(f"{alert}/ack").json == taken
    assert rex.post(f"{alert}/unack").json["status"] == "firing"
    quiet = rex.post_json(f"{alert}/snooze", {"until": "2026-03-10T15:00:00+02:00"}).json
    assert (quiet["quiet_until"], quiet["quiet_reason"]) == ("2026-03-10T13:00:00Z", "snooze")
    rex.post_json(f"{alert}/comment", {"text": "It is the disk."})
    assert rex.post_json(f"{alert}/assign", {"username": "tara"}).json["assignee"] == "tara"
    assert rex.post(f"{alert}/resolve").json["status"] == "resolved"
    answer = rex.post(f"{alert}/ack", status=409)
    assert "resolved" in answer.json["detail"]
    events = rex.get(f"{alert}/events").json["items"]
    assert [event["kind"] for event in events][:2] == ["acknowledged", "unacknowledged"]
    assert {(event["actor"], event["via"]) for event in events} >= {("rex", "api")}
    assert rex.get(events[0]["url"]).json == events[0]
    notifications = rex.get(f"{alert}/notifications").json["items"]
    assert any(row["target"].startswith("user:") for row in notifications)


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("snooze", {"until": "2026-03-10T11:59:00Z"}, "until"),
        ("snooze", {"until": "2027-03-10T11:59:00Z"}, "until"),
        ("snooze", {"until": "2026-03-10T13:00:00"}, "until"),
        ("assign", {"username": "otto"}, "username"),
        ("assign", {"username": "nobody"}, "username"),
        ("comment", {"text": ""}, "text"),
        ("comment", {"text": "   "}, "text"),
        ("comment", {"text": "x" * 10_001}, "text"),
        ("comment", {"txt": "x", "text": "y"}, "txt"),
    ],
)
def test_wrong_values_are_named(
    login_as: Any, alert: str, name: str, body: dict[str, Any], field: str
) -> None:
    answer = login_as("rex").post_json(f"{alert}/{name}", body, status=422)
    assert list(answer.json["errors"]) == [field]


def test_a_token_needs_the_scope_for_writing(with_token: Any, alert: str) -> None:
    with_token("alerts:read").get(alert)
    with_token("alerts:read").post(f"{alert}/ack", status=403)
    assert with_token("alerts:write").post(f"{alert}/ack").json["acknowledged_by"] == "gail"
    with_token("resources:write").post(f"{alert}/ack", status=404)


def test_the_flat_and_the_nested_address_are_the_same(login_as: Any, alert: str, core: str) -> None:
    vera = login_as("vera")
    nested = f"{core}/alerts/{alert.rsplit('/', 1)[1]}"
    assert vera.get(nested).json == vera.get(alert).json
    assert vera.get(alert).json["permissions"] == ["view"]
    assert login_as("rex").get(alert).json["permissions"] == ["view", "respond", "silence"]
