"""Silences match each signal of a group: stories from payload to page, through the real app."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from incidentrelay.db import Database
from incidentrelay.models import Route, Silence
from tests.support import cast as standing_cast
from tests.support.client import Client

pytestmark = pytest.mark.both_databases
WEBHOOK = "/api/integrations/webhook"
SILENCES = "/api/groups/sre/teams/core/silences"
SOON = "2026-03-10T13:00:00Z"
DEV, PROD = {"service": "db", "env": "dev"}, {"service": "db", "env": "prod"}


@pytest.fixture
def source(
    with_token: Callable[[str], Client], cast: standing_cast.Cast, database: Database
) -> Client:
    """The route's sender; its route makes one alert of each service, and nothing is silenced."""
    with database.write() as session:
        core = cast.teams["core"]
        session.get_one(Route, core.route.id).group_by = ["service"]
        session.delete(session.get_one(Silence, core.silence.id))
    return with_token(cast.teams["core"].token)


@pytest.fixture
def rex(login_as: Callable[[str], Client]) -> Client:
    return login_as("rex")


def send(source: Client, labels: Mapping[str, str], status: str = "firing") -> dict[str, Any]:
    key = "-".join(labels.values())
    item = {"title": f"{key} is slow", "dedup_key": key, "labels": labels, "status": status}
    verdict: dict[str, Any] = source.post_json(WEBHOOK, item).json[0]
    return verdict


def quiet(rex: Client, alert_id: int) -> str | None:
    until: str | None = rex.get(f"/api/alerts/{alert_id}").json["quiet_until"]
    return until


def pages(rex: Client, alert_id: int) -> int:
    items = rex.get(f"/api/alerts/{alert_id}/notifications").json["items"]
    return sum(item["kind"] == "page" and item["state"] == "pending" for item in items)


def silence(rex: Client, *matchers: str) -> str:
    body = {"matchers": list(matchers), "ends_at": SOON}
    url: str = rex.post_json(SILENCES, body, status=201).json["url"]
    return url


def test_prod_pages_when_it_joins_a_silenced_dev(rex: Client, source: Client) -> None:
    silence(rex, 'env!="prod"')
    alert_id = send(source, DEV)["id"]
    assert (quiet(rex, alert_id), pages(rex, alert_id)) == (SOON, 0)
    assert send(source, PROD)["id"] == alert_id
    assert quiet(rex, alert_id) is None
    assert pages(rex, alert_id) > 0
    # When prod resolves, what still fires is silenced.
    send(source, PROD, "resolved")
    assert (quiet(rex, alert_id), pages(rex, alert_id)) == (SOON, 0)


def test_prod_keeps_paging_when_a_silenced_dev_joins(rex: Client, source: Client) -> None:
    silence(rex, 'env!="prod"')
    alert_id = send(source, PROD)["id"]
    before = pages(rex, alert_id)
    assert before > 0
    assert send(source, DEV)["id"] == alert_id
    assert quiet(rex, alert_id) is None
    assert pages(rex, alert_id) == before


def test_a_silence_of_the_only_signal_left_takes_effect(rex: Client, source: Client) -> None:
    first, second = ({"service": "db", "instance": name} for name in "ab")
    alert_id = send(source, first)["id"]
    send(source, second)
    send(source, second, "resolved")
    send(source, first)
    silence(rex, "instance=a")
    assert (quiet(rex, alert_id), pages(rex, alert_id)) == (SOON, 0)


def test_one_silence_of_two_ends_and_the_alert_pages(rex: Client, source: Client) -> None:
    silence(rex, "env=dev")
    of_prod = silence(rex, "env=prod")
    alert_id = send(source, DEV)["id"]
    send(source, PROD)
    assert (quiet(rex, alert_id), pages(rex, alert_id)) == (SOON, 0)
    rex.post(f"{of_prod}/end")
    assert quiet(rex, alert_id) is None
    assert pages(rex, alert_id) > 0


def test_the_proposal_covers_the_whole_group(rex: Client, source: Client) -> None:
    alert_id = send(source, DEV)["id"]
    send(source, PROD)
    proposal = rex.get(f"/api/alerts/{alert_id}/silence").json
    assert proposal["body"]["matchers"] == ['env=~"dev|prod"', 'service="db"']
    assert "differ in env" in proposal["notes"][0]
    rex.post_json(proposal["url"], proposal["body"], status=201)
    assert quiet(rex, alert_id) == SOON
    send(source, {"service": "db", "env": "test"})
    assert quiet(rex, alert_id) is None


def test_a_simulation_says_that_a_silence_covers_only_some_signals(
    rex: Client, source: Client
) -> None:
    number = silence(rex, 'env!="prod"').rpartition("/")[2]
    send(source, PROD)
    item = {"title": "dev is slow", "dedup_key": "new", "labels": DEV}
    asked = {"route": "sre/core/incoming", "payload": item}
    (said,) = rex.post_json("/api/simulate", asked).json["items"]
    assert said["silence"] is None
    sentence = f"Silence {number} covers only some of the alert's signals, so it is not quiet."
    assert sentence in said["sentences"]
