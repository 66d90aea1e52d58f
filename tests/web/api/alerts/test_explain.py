"""Explanations, what a recorded request would do now, and reassigning."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from incidentrelay.db import Database
from incidentrelay.models import IntakeRequest
from tests.support import cast as standing_cast
from tests.support.client import Client

PROBLEM = {"title": "Disk is full", "severity": "critical", "labels": {"host": "db1"}}
INTAKE = "/api/groups/sre/teams/core/routes/incoming/intake"


@pytest.fixture
def alert(with_token: Callable[[str], Client], cast: standing_cast.Cast) -> str:
    """An alert that core's route has just received."""
    source = with_token(cast.teams["core"].token)
    (verdict,) = source.post_json("/api/integrations/webhook", [PROBLEM]).json
    return f"/api/alerts/{verdict['id']}"


@pytest.fixture
def recorded(login_as: Any, alert: str) -> str:
    return str(login_as("rex").get(INTAKE).json["items"][0]["url"])


def test_an_alert_is_explained_to_whoever_may_see_it(
    login_as: Any, testapp: Any, alert: str
) -> None:
    found = login_as("vera").get(f"{alert}/explanation").json
    assert [reason["about"] for reason in found][:6] == [
        "token",
        "route",
        "matchers",
        "group",
        "plan",
        "people",
    ]
    assert found[5]["text"].startswith("Rex was paged by inbox and e-mail: on call in Primary")
    assert found[0]["at"] == "2026-03-10T12:00:00Z"
    testapp.get(f"{alert}/explanation", status=401)
    login_as("otto").get(f"{alert}/explanation", status=404)


def test_a_recorded_request_is_explained_as_if_it_came_now(login_as: Any, recorded: str) -> None:
    rex = login_as("rex")
    answer = rex.post(f"{recorded}/explain").json
    (item,) = answer["items"]
    # It came already, so that it changes nothing now.
    assert (item["title"], item["outcome"]) == ("Disk is full", "duplicate")
    asked = {"route": "sre/core/incoming", "payload": [PROBLEM]}
    assert answer == rex.post_json("/api/simulate", asked).json


@pytest.mark.parametrize(("who", "status"), [("vera", 403), ("otto", 404)])
def test_only_responders_explain_a_request(
    login_as: Any, recorded: str, who: str, status: int
) -> None:
    login_as(who).post(f"{recorded}/explain", status=status)


def test_a_body_that_was_cut_is_refused(login_as: Any, database: Database, recorded: str) -> None:
    with database.write() as session:
        session.execute(update(IntakeRequest).values(truncated=True, body=b"[{"))
    answer = login_as("rex").post(f"{recorded}/explain", status=409).json
    assert answer["detail"] == "Only the start of this body was stored, so it cannot be explained."


def test_a_body_that_is_no_payload_is_refused(
    login_as: Any, database: Database, recorded: str
) -> None:
    with database.write() as session:
        session.execute(update(IntakeRequest).values(body=b"7"))
    login_as("rex").post(f"{recorded}/explain", status=422)


def test_handing_on(login_as: Any, testapp: Any, alert: str) -> None:
    url = f"{alert}/reassign-to-next"
    testapp.post(url, status=401)
    login_as("otto").post(url, status=404)
    login_as("vera").post(url, status=403)
    answer = login_as("tara").post(url, status=409).json
    assert answer["detail"] == "No one else is active in this alert's rotation."
