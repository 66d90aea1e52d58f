"""The edge of intake: who may send, what is taken, what is answered."""

import dataclasses
from typing import Any

import pytest

from incidentrelay.models import Alert, IntakeRequest, Route
from incidentrelay.services.intake.receive import ItemVerdict
from incidentrelay.web.schemas.intake.verdict import VerdictSchema
from tests.support.client import Client

WEBHOOK = "/api/integrations/webhook"
PROBLEM = {"title": "Disk is full", "severity": "critical", "labels": {"host": "db1"}}
FIELDS = {
    "id",
    "outcome",
    "status",
    "created",
    "reason",
    "routing_error",
    "team_id",
    "team_slug",
    "route_id",
    "rotation_id",
    "assignee",
    "dedup_key",
}


@pytest.fixture
def source(with_token: Any, cast: Any) -> Client:
    client: Client = with_token(cast.teams["core"].token)
    return client


@pytest.mark.both_databases
def test_an_alert_comes_in_and_everything_is_committed(
    source: Client, database: Any, cast: Any
) -> None:
    (verdict,) = source.post_json(WEBHOOK, PROBLEM).json
    assert set(verdict) == FIELDS
    assert (verdict["outcome"], verdict["created"], verdict["status"]) == (
        "created",
        True,
        "firing",
    )
    assert (verdict["team_slug"], verdict["route_id"]) == ("core", cast.teams["core"].route.id)
    (again,) = source.post_json(WEBHOOK, PROBLEM).json
    assert (again["outcome"], again["id"]) == ("duplicate", verdict["id"])
    with database.read() as session:
        assert session.get_one(Alert, verdict["id"]).title == "Disk is full"
        assert session.query(IntakeRequest).count() == 2


def test_the_answer_is_in_the_order_of_the_items(source: Client) -> None:
    batch = [PROBLEM, 7, {"title": "Other"}, PROBLEM]
    verdicts = source.post_json(WEBHOOK, batch).json
    outcomes = [verdict["outcome"] for verdict in verdicts]
    assert outcomes == ["created", "rejected", "created", "duplicate"]
    assert source.post_json(WEBHOOK, []).json == []


def test_a_payload_cannot_choose_another_team(source: Client) -> None:
    (verdict,) = source.post_json(WEBHOOK, {**PROBLEM, "team": "web"}).json
    assert verdict["team_slug"] == "core"


def test_a_personal_token_sends_to_the_teams_of_its_person(with_token: Any) -> None:
    client = with_token("alerts:write")
    assert client.post_json(WEBHOOK, PROBLEM).json[0]["team_slug"] == "core"
    assert client.post_json(WEBHOOK, {**PROBLEM, "team": "edge"}).json[0]["team_slug"] == "edge"
    (refused,) = client.post_json(WEBHOOK, {**PROBLEM, "team": "web"}).json
    assert refused["outcome"] == "rejected"
    assert refused["routing_error"]


@pytest.mark.parametrize("token", ["", "nonsense", "ir_r_" + "x" * 51])
def test_without_a_token_every_source_answers_the_same(app: Any, cast: Any, token: str) -> None:
    answers = [
        Client(app, token=token).post_json(f"/api/integrations/{name}", PROBLEM, status=401).json
        for name in ("webhook", "zabbix", "alertmanager")
    ]
    assert len({answer["detail"] for answer in answers}) == 1


def test_an_unknown_source_is_404(source: Client, testapp: Client) -> None:
    source.post_json("/api/integrations/none", PROBLEM, status=404)
    testapp.post_json("/api/integrations/none", PROBLEM, status=404)


def test_browsers_and_other_scopes_cannot_send(login_as: Any, with_token: Any) -> None:
    login_as("root").post_json(WEBHOOK, PROBLEM, status=403)
    login_as("gail").post_json(WEBHOOK, PROBLEM, status=404)
    with_token("alerts:read").post_json(WEBHOOK, PROBLEM, status=404)
    with_token("resources:write").post_json(WEBHOOK, PROBLEM, status=404)


def test_the_token_of_another_source_is_told_so(source: Client, database: Any) -> None:
    answer = source.post_json("/api/integrations/zabbix", PROBLEM, status=422)
    assert "webhook" in answer.json["routing_error"]


@pytest.mark.parametrize("part", ["route", "team", "group"])
def test_what_is_switched_off_takes_nothing(
    source: Client, database: Any, cast: Any, part: str
) -> None:
    with database.write() as session:
        route = session.get_one(Route, cast.teams["core"].route.id)
        team = session.get_one(type(cast.teams["core"].team), route.team_id)
        group = session.get_one(type(cast.groups["sre"]), team.group_id)
        if part == "route":
            route.enabled = False
        else:
            {"team": team, "group": group}[part].active = False
    source.post_json(WEBHOOK, PROBLEM, status=401)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b'{"title": "x"}', "application/json", 200),
        (b'{"title": "x"}', "application/json; charset=latin-1", 200),
        (b'{"title": "caf\xe9"}', "application/json", 200),
        (b'{"title": "x\\u0000\\ud800"}', "application/json", 200),
        (b'{"title": "x", "labels": {"n": 99999999999999999999}}', "application/json", 200),
        (b'{"title": "x"}', "text/plain", 415),
        (b"title=x", "application/x-www-form-urlencoded", 415),
        (b"{", "application/json", 422),
        (b"", "application/json", 422),
        (b'{"title": nan}', "application/json", 422),
        (b"[" * 50 + b"]" * 50, "application/json", 200),
        (b"[" * 200_000, "application/json", 422),
        (b"7", "application/json", 422),
        (b"[" + b"7," * 10_000 + b"7]", "application/json", 413),
        (b'"' + b"x" * (5 * 2**20) + b'"', "application/json", 413),
    ],
)
def test_bodies(source: Client, body: bytes, content_type: str, status: int) -> None:
    source.post(WEBHOOK, body, content_type=content_type, status=status)


def test_compressed_bodies_are_refused(source: Client) -> None:
    source.post_json(WEBHOOK, PROBLEM, headers={"Content-Encoding": "gzip"}, status=415)


class Endless:
    """A body without an announced length that would never end."""

    def __init__(self) -> None:
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "the whole body was asked for"
        self.given += size
        return b"[" * size


def test_a_body_without_a_length_is_capped_too(app: Any, cast: Any, settings: Any) -> None:
    endless = Endless()
    status = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": WEBHOOK,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_TRANSFER_ENCODING": "chunked",
        "HTTP_AUTHORIZATION": f"Bearer {cast.teams['core'].token}",
        "CONTENT_TYPE": "application/json",
        "wsgi.url_scheme": "http",
        "wsgi.input": endless,
        "wsgi.input_terminated": True,
    }
    b"".join(app(environ, lambda line, _headers: status.append(line)))
    assert status == ["413 Request Entity Too Large"]
    assert endless.given <= settings.intake_max_body + 2


def test_the_last_bodies_are_shown_with_their_verdict(
    source: Client, login_as: Any, core: str
) -> None:
    source.post_json(WEBHOOK, PROBLEM)
    source.post(WEBHOOK, b'"' + b"x" * 70_000 + b'"', content_type="application/json", status=422)
    source.post_json(WEBHOOK, {"title": "y" * 70_000})
    last, first = login_as("vera").get(f"{core}/routes/incoming/intake").json["items"]
    assert '"Disk is full"' in first["body"]
    assert (first["truncated"], last["truncated"], len(last["body"])) == (False, True, 65536)
    assert first["outcomes"][0]["outcome"] == "created"


def test_the_sources_are_listed(login_as: Any) -> None:
    found = {
        row["name"]: row["intake_url"] for row in login_as("vera").get("/api/integrations").json
    }
    assert found["webhook"] == f"http://localhost{WEBHOOK}"
    assert {"alertmanager", "zabbix"} <= set(found)


def test_one_impossible_number_costs_no_other_alert(with_token: Any, cast: Any) -> None:
    client = with_token(cast.teams["core"].token)
    body = b'[{"title": "a", "labels": {"load": 1e400}}, {"title": "b"}, {"title": NaN}]'
    answer = client.post(WEBHOOK, body, content_type="application/json")
    assert [item["outcome"] for item in answer.json] == ["created"] * 3


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
@pytest.mark.parametrize("who", ["route", "alerts:write", "nobody"])
def test_an_intake_address_says_that_it_takes_post(
    with_token: Any, testapp: Client, cast: Any, method: str, who: str
) -> None:
    tokens = {"route": cast.teams["core"].token}
    client = testapp if who == "nobody" else with_token(tokens.get(who, who))
    answer = client.request(WEBHOOK, method=method, status=405)
    assert answer.headers["Allow"] == "POST"
    if method != "HEAD":
        assert "Send alerts by POST" in answer.json["detail"]


def test_alerts_that_alertmanager_cut_off_are_told(
    with_token: Any, login_as: Any, cast: Any, database: Any
) -> None:
    with database.write() as session:
        session.get_one(Route, cast.teams["core"].route.id).source = "alertmanager"
    source = with_token(cast.teams["core"].token)
    alerts = [{"labels": {"alertname": "Down"}, "status": "firing"}]
    url = "/api/integrations/alertmanager"
    (verdict,) = source.post_json(url, {"alerts": alerts, "truncatedAlerts": 57}).json
    text = "The source left 57 more alerts out of this request."
    assert verdict["reason"] == text
    vera = login_as("vera")
    events = vera.get(f"/api/alerts/{verdict['id']}/events").json["items"]
    assert text in [event["text"] for event in events]
    intake = "/api/groups/sre/teams/core/routes/incoming/intake"
    assert vera.get(intake).json["items"][0]["left_out"] == 57
    for nonsense in (-1, 2**40, "57", None, True, []):
        payload = {"alerts": alerts, "truncatedAlerts": nonsense}
        (verdict,) = source.post_json(url, payload).json
        assert verdict["reason"] == ""


def test_a_verdict_has_the_fields_of_its_schema() -> None:
    """It is written as it is; the schema only documents it."""
    names = [field.name for field in dataclasses.fields(ItemVerdict)]
    assert names == list(VerdictSchema().fields)
