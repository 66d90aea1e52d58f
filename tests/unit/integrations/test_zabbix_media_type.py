"""The media type that is shipped for import into Zabbix."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import incidentrelay

SAMPLES = Path(incidentrelay.__file__).parent / "integrations" / "samples" / "zabbix"
OWN = {"relay_url", "relay_token", "http_proxy"}
NODE = shutil.which("node")

# Zabbix's two globals; its HTTP client is the network, and so the only thing replaced.
ZABBIX = """
const sent = {headers: []}, logs = [];
const Zabbix = {log: (level, text) => logs.push(text)};
class HttpRequest {
  addHeader(header) { sent.headers.push(header); }
  setProxy(proxy) { sent.proxy = proxy; }
  post(url, body) { sent.url = url; sent.body = JSON.parse(body); return "the answer"; }
  getStatus() { return STATUS; }
}
let result = null, thrown = null;
try { result = new Function("value", "HttpRequest", "Zabbix", SCRIPT)(VALUE, HttpRequest, Zabbix); }
catch (error) { thrown = String(error); }
console.log(JSON.stringify({sent, logs, result, thrown}));
"""


def media_type() -> dict[str, Any]:
    text = (SAMPLES / "media_incidentrelay.yaml").read_text("utf-8")
    export = yaml.safe_load(text)["zabbix_export"]
    assert export["version"] == "6.0"
    [found] = export["media_types"]
    assert isinstance(found, dict)
    return found


def run(params: dict[str, str], status: int) -> Any:
    assert NODE is not None
    values = {"STATUS": status, "SCRIPT": media_type()["script"], "VALUE": json.dumps(params)}
    constants = "".join(f"const {k} = {json.dumps(v)};\n" for k, v in values.items())
    done = subprocess.run(
        [NODE, "-e", constants + ZABBIX], capture_output=True, text=True, check=True, timeout=30
    )
    return json.loads(done.stdout)


def test_it_sends_what_the_integration_reads() -> None:
    found = media_type()
    assert found["type"] == "WEBHOOK"
    parameters = {entry["name"]: entry["value"] for entry in found["parameters"]}
    assert len(parameters) == len(found["parameters"])
    problem = json.loads((SAMPLES / "problem.json").read_text("utf-8"))
    assert set(parameters) - OWN == set(problem)
    expected = {"event_id": "{EVENT.ID}", "relay_token": "{$INCIDENTRELAY.TOKEN}"}
    assert expected.items() <= parameters.items()
    assert {t["operation_mode"] for t in found["message_templates"]} == {
        "PROBLEM",
        "RECOVERY",
        "UPDATE",
    }


PARAMS = {
    "relay_url": "https://relay.example/",
    "relay_token": "secret-token",
    "http_proxy": "",
    "event_id": "100500",
    "message": "a\nb",
}
needs_node = pytest.mark.skipif(NODE is None, reason="Node.js is not installed")


@needs_node
@pytest.mark.parametrize("status", [200, 202, 299])
def test_any_2xx_is_a_success(status: int) -> None:
    done = run({**PARAMS, "http_proxy": "http://proxy:3128"}, status)
    assert done["result"] == "OK"
    assert done["thrown"] is None
    assert done["sent"] == {
        "headers": ["Content-Type: application/json", "Authorization: Bearer secret-token"],
        "proxy": "http://proxy:3128",
        "url": "https://relay.example/api/integrations/zabbix",
        "body": {"event_id": "100500", "message": "a\nb"},
    }


@needs_node
@pytest.mark.parametrize("status", [0, 199, 301, 401, 422, 503])
def test_anything_else_is_thrown_without_the_token(status: int) -> None:
    done = run(PARAMS, status)
    assert done["thrown"] == f"IncidentRelay: HTTP status {status}: the answer"
    assert "secret-token" not in json.dumps(done["logs"])


@needs_node
@pytest.mark.parametrize("name", ["relay_url", "relay_token"])
@pytest.mark.parametrize("value", ["", "{$INCIDENTRELAY.X}"])
def test_a_macro_that_is_not_set_is_thrown(name: str, value: str) -> None:
    done = run({**PARAMS, name: value}, 200)
    assert done["thrown"] == f"IncidentRelay: the parameter {name} is not set"
    assert "url" not in done["sent"]
