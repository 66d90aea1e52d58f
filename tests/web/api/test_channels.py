"""Testing a channel, and generated secrets."""

from typing import Any

import pytest
from sqlalchemy import select

from incidentrelay.models import Channel, Notification

CORE = "/api/groups/sre/teams/core"
BOX = f"{CORE}/channels/inbox"


def test_a_test_is_a_message_on_the_real_way(login_as: Any) -> None:
    mona = login_as("mona")
    assert mona.get(f"{BOX}/test").json == []
    made = mona.post(f"{BOX}/test", status=202).json
    assert (made["kind"], made["state"], made["method"]) == ("test", "pending", "inbox")
    again = mona.post(f"{BOX}/test", status=202).json
    shown = login_as("vera").get(f"{BOX}/test").json
    assert [row["id"] for row in shown] == [again["id"], made["id"]]


@pytest.mark.parametrize(("who", "status"), [("vera", 403), ("rex", 403), ("otto", 404)])
def test_only_managers_test(login_as: Any, who: str, status: int) -> None:
    login_as(who).post(f"{BOX}/test", status=status)


def test_a_channel_is_tested_again_after_old_tests_were_forgotten(
    login_as: Any, database: Any
) -> None:
    gail = login_as("gail")
    first, _, third = (gail.post(f"{BOX}/test", status=202).json["id"] for _ in range(3))
    with database.write() as session:
        session.delete(session.get_one(Notification, first))
    assert gail.post(f"{BOX}/test", status=202).json["id"] > third


def test_a_channel_that_is_switched_off_is_not_tested(login_as: Any) -> None:
    mona = login_as("mona")
    mona.patch_json(BOX, {"enabled": False})
    assert "switched off" in mona.post(f"{BOX}/test", status=409).json["detail"]


@pytest.mark.parametrize("kind", ["slack", "mattermost", "discord", "teams", "webhook"])
def test_the_url_of_a_webhook_is_never_shown_again(login_as: Any, database: Any, kind: str) -> None:
    mona, gail = login_as("mona"), login_as("gail")
    body = {"name": "Chat", "kind": kind, "config": {"url": "https://chat.example/hooks/t0ken"}}
    made = mona.post_json(f"{CORE}/channels", body, status=201)
    assert made.json["config"]["url"] == "https://chat.example/***"
    kept = mona.patch_json(made.json["url"], {"name": "Room", "config": made.json["config"]})
    answers = (made, kept, mona.get(f"{CORE}/channels"), gail.get("/api/groups/sre/audit"))
    for answer in answers:
        assert "t0ken" not in answer.text
    with database.read() as session:
        assert "t0ken" not in str(session.scalars(select(Channel.config)).all())


def test_a_secret_that_we_make_is_shown_once(login_as: Any) -> None:
    mona = login_as("mona")
    body = {"name": "Hook", "kind": "webhook", "config": {"url": "https://hooks.example/x"}}
    made = mona.post_json(f"{CORE}/channels", body, status=201).json
    assert made["config"]["secret"].startswith("whsec_")
    assert mona.get(made["url"]).json["config"]["secret"] == "***"
