"""Silences through the API."""

from typing import Any

import pytest

from incidentrelay.domain.permissions import Scope
from incidentrelay.services.access.secrets import TokenKind, new_token
from tests.support import factories

CORE = "/api/groups/sre/teams/core/silences"
WEEKLY = {
    "rule": "FREQ=WEEKLY;BYDAY=SU",
    "zone": "Europe/Berlin",
    "starts_on": "2026-03-01",
    "start_time": "02:30",
    "duration": 3600,
}
SOON = "2026-03-10T13:00:00Z"


def test_a_recurring_one_shows_its_bounds_and_can_be_sent_back(login_as: Any) -> None:
    rex = login_as("rex")
    made = rex.post_json(CORE, {"matchers": ["a=b"], "recurrence": WEEKLY}, status=201).json
    assert (made["starts_at"], made["ends_at"]) == ("2026-03-01T01:30:00Z", None)
    assert made["recurrence"] == WEEKLY
    given = ("matchers", "starts_at", "ends_at", "recurrence", "reason", "version")
    sent = {name: made[name] for name in given}
    assert rex.put_json(made["url"], sent).json["version"] == 1
    once = rex.patch_json(made["url"], {"recurrence": None, "ends_at": SOON}).json
    assert (once["recurrence"], once["ends_at"]) == (None, SOON)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"matchers": ["a=b"]}, "ends_at"),
        ({"matchers": ["a=b"], "ends_at": None}, "ends_at"),
        ({"matchers": ['a=~"("'], "ends_at": SOON}, "matchers.0"),
        ({"matchers": [], "ends_at": SOON}, "matchers"),
        ({"matchers": ["a=b"], "recurrence": {**WEEKLY, "rule": "FREQ=HOURLY"}}, "recurrence.rule"),
        ({"matchers": ["a=b"], "recurrence": {"rule": "FREQ=DAILY"}}, "recurrence.zone"),
    ],
)
@pytest.mark.parametrize("where", [CORE, f"{CORE}/preview"])
def test_what_is_wrong_is_named(
    login_as: Any, where: str, body: dict[str, Any], field: str
) -> None:
    answer = login_as("rex").post_json(where, body, status=422)
    assert field in answer.json["errors"]


def test_a_token_that_may_not_read_alerts_sees_none_in_a_preview(
    testapp: Any, database: Any, cast: Any
) -> None:
    body = {"matchers": ["a=b"], "ends_at": SOON}
    reader = testapp.with_token(cast.tokens[Scope.RESOURCES_READ])
    assert "alerts:read" in reader.post_json(f"{CORE}/preview", body, status=403).json["detail"]
    both = new_token(TokenKind.USER)
    with database.write() as session:
        scopes = (Scope.RESOURCES_READ, Scope.ALERTS_READ)
        factories.api_token(session, cast.users["gail"], both, scopes)
    assert testapp.with_token(both).post_json(f"{CORE}/preview", body).json["firing"] == 0


def test_a_preview_says_what_would_be_covered_and_saves_nothing(login_as: Any, cast: Any) -> None:
    rex = login_as("rex")
    alert = cast.teams["core"].alert
    name, value = next(iter(alert.labels.items()))
    body = {"matchers": [f'{name}="{value}"'], "ends_at": SOON}
    before = len(rex.get(CORE).json["items"])
    found = rex.post_json(f"{CORE}/preview", body).json
    assert (found["firing"], [each["id"] for each in found["alerts"]]) == (1, [alert.id])
    assert (found["incomplete"], len(found["windows"])) == (False, 1)
    assert len(rex.get(CORE).json["items"]) == before
    other = rex.post_json(f"{CORE}/preview", {"matchers": ["a=b"], "ends_at": SOON}).json
    assert (other["firing"], other["alerts"], other["recent"]) == (0, [], 0)
    recurring = {"matchers": ["a=b"], "recurrence": WEEKLY}
    assert len(rex.post_json(f"{CORE}/preview", recurring).json["windows"]) == 5


def test_an_alert_proposes_its_silence(login_as: Any, cast: Any) -> None:
    rex = login_as("rex")
    alert = f"/api/alerts/{cast.teams['core'].alert.id}"
    rex.delete(f"{CORE}/{cast.teams['core'].silence.id}", status=204)
    proposal = rex.get(f"{alert}/silence").json
    assert proposal["url"] == CORE
    made = rex.post_json(proposal["url"], proposal["body"], status=201).json
    assert rex.get(alert).json["quiet_until"] == made["ends_at"]
    ended = rex.post(f"{made['url']}/end").json
    assert ended["version"] == 2
    assert rex.get(alert).json["quiet_until"] is None
    rex.post(f"{made['url']}/end", status=409)


def test_only_who_may_silence_ends_one(login_as: Any, testapp: Any) -> None:
    url = login_as("rex").get(CORE).json["items"][0]["url"]
    testapp.post(f"{url}/end", status=401)
    login_as("otto").post(f"{url}/end", status=404)
    login_as("vera").post(f"{url}/end", status=403)


def test_contradicting_matchers_are_warned_about_and_saved(login_as: Any) -> None:
    rex = login_as("rex")
    body = {"matchers": ["env=a", "env=b"], "ends_at": SOON}
    text = 'env="a" and env="b" contradict each other, so this silence covers nothing.'
    assert rex.post_json(f"{CORE}/preview", body).json["warnings"] == [text]
    saved = rex.post_json(CORE, body, status=201).json
    assert saved["warnings"] == rex.get(saved["url"]).json["warnings"] == [text]
