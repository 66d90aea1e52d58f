"""The first alerts of a history, posted to the running program."""

import http.client
import json
from typing import Any

_SIZE = 5
_NAMES = ("DiskFull", "HighCpu", "TargetDown", "QueueGrows", "CertificateExpires", "SlowAnswers")
_SEVERITIES = ("critical", "warning", "warning", "info")


def post_seed(port: int, tokens: list[str], count: int) -> None:
    """Post ``count`` alerts with labels as Kubernetes has them; every second one is resolved."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for number, first in enumerate(range(0, count, _SIZE)):
        alerts = [_alert(index) for index in range(first, first + _SIZE)]
        ended = [{**alert, "status": "resolved"} for alert in alerts[::2]]
        for batch in (alerts, ended):
            _post(connection, tokens[number % len(tokens)], batch)
    connection.close()


def _alert(number: int) -> dict[str, Any]:
    name = _NAMES[number % len(_NAMES)]
    instance = f"node-{number}"
    return {
        "status": "firing",
        "labels": {
            "alertname": name,
            "severity": _SEVERITIES[number % len(_SEVERITIES)],
            "instance": instance,
            "job": f"job-{number % 10}",
            "namespace": f"namespace-{number % 40}",
            "pod": f"pod-{number % 200}",
            "cluster": f"cluster-{number % 4}",
            "region": f"region-{number % 2}",
        },
        "annotations": {"summary": f"{name} on {instance}", "description": "Look at it."},
    }


def _post(connection: http.client.HTTPConnection, token: str, alerts: list[dict[str, Any]]) -> None:
    body = json.dumps({"version": "4", "status": "firing", "alerts": alerts}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    connection.request("POST", "/api/integrations/alertmanager", body, headers)
    response = connection.getresponse()
    text = response.read()
    if response.status != 200:
        raise SystemExit(f"An alert was not accepted: {text!r}")
