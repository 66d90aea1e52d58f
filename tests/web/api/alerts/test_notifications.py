"""Notifications over all alerts, through the API."""

from typing import Any

import pytest

from incidentrelay.domain.enums import DeliveryState
from incidentrelay.models import Notification
from tests.support import factories


@pytest.fixture
def failed(database: Any, cast: Any) -> dict[str, int]:
    """A failed page to a channel of each team, and one of core that was sent."""
    found = {}
    with database.write() as session:
        for name, parts in cast.teams.items():
            row = factories.notification(
                session,
                parts.alert,
                target=f"channel:{parts.channel.id}",
                channel_id=parts.channel.id,
                state=DeliveryState.FAILED,
                next_at=None,
                attempts=12,
                last_error="The host does not answer.",
                finished_at=factories.NOW,
            )
            found[name] = row.id
        sent = factories.notification(
            session, cast.teams["core"].alert, state=DeliveryState.SENT, next_at=None
        )
        found["sent"] = sent.id
    return found


def ids(answer: Any) -> list[int]:
    return [item["id"] for item in answer.json["items"]]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["sent", "edge", "core"]),
        ("?state=failed", ["edge", "core"]),
        ("?state=failed&team=core", ["core"]),
        ("?state=failed&group=sre&channel=inbox&method=inbox&kind=page", ["edge", "core"]),
        ("?state=failed&group=apps", []),
        ("?kind=reminder", []),
    ],
)
def test_the_list_holds_what_one_may_see_and_asks_for(
    login_as: Any, failed: dict[str, int], query: str, names: list[str]
) -> None:
    answer = login_as("vera").get(f"/api/notifications{query}")
    assert ids(answer) == [failed[name] for name in names]


def test_each_list_is_of_its_place(login_as: Any, cast: Any, failed: dict[str, int]) -> None:
    gail, alert = login_as("gail"), cast.teams["core"].alert.id
    for path in (
        "/api/groups/sre/teams/core/notifications?state=failed",
        f"/api/alerts/{alert}/notifications?state=failed",
        f"/api/notifications?state=failed&alert={alert}",
    ):
        assert ids(gail.get(path)) == [failed["core"]]
    assert ids(login_as("otto").get("/api/notifications")) == [failed["web"]]
    assert ids(login_as("root").get("/api/notifications?state=failed")) == sorted(
        (failed[name] for name in ("core", "edge", "web")), reverse=True
    )


def test_one_says_what_it_is_about_and_why_it_failed(
    login_as: Any, cast: Any, failed: dict[str, int]
) -> None:
    shown = login_as("rex").get(f"/api/notifications/{failed['core']}").json
    assert shown["url"] == f"/api/notifications/{failed['core']}"
    assert (shown["alert_id"], shown["channel"], shown["user"], shown["team"]) == (
        cast.teams["core"].alert.id,
        "inbox",
        None,
        "core",
    )
    assert shown["last_error"] == "The host does not answer."
    assert shown["permissions"] == ["view", "respond"]


@pytest.mark.parametrize("bad", ["state=broken", "alert=0", "team=A b", "colour=red"])
def test_a_bad_filter_is_named(login_as: Any, failed: dict[str, int], bad: str) -> None:
    answer = login_as("vera").get(f"/api/notifications?{bad}", status=422)
    assert list(answer.json["errors"]) == [bad.partition("=")[0]]


def test_responders_send_it_again(
    login_as: Any, testapp: Any, database: Any, failed: dict[str, int]
) -> None:
    url = f"/api/notifications/{failed['core']}/resend"
    testapp.post(url, status=401)
    login_as("otto").post(url, status=404)
    login_as("vera").post(url, status=403)
    answer = login_as("tara").post(url, status=202).json
    assert (answer["state"], answer["attempts"]) == ("pending", 0)
    again = login_as("tara").post(url, status=409)
    assert again.json["detail"] == "It is pending; only failed notifications can be sent again."
    with database.read() as session:
        assert session.get_one(Notification, failed["core"]).next_at == factories.NOW


def test_a_list_costs_the_same_however_long_it_is(
    login_as: Any, cast: Any, database: Any, failed: dict[str, int], query_count: Any
) -> None:
    gail = login_as("gail")
    with query_count() as few:
        gail.get("/api/notifications")
    with database.write() as session:
        for _ in range(20):
            factories.notification(session, cast.teams["core"].alert)
    with query_count() as many:
        gail.get("/api/notifications")
    assert len(many) == len(few) <= 4, many
