"""ntfy's notifications."""

import json
from typing import Any

import pytest
from marshmallow import ValidationError

from incidentrelay.channels.ntfy.channel import NtfyChannel, NtfyConfig, payload, personal_topic
from incidentrelay.domain.enums import AlertStatus, Severity
from incidentrelay.domain.messages import Links
from incidentrelay.transport.http import HTTPClient
from tests.unit.channels.conftest import SECRET, HTTPVendor, make_bundle, make_envelope
from tests.unit.channels.ntfy.fake import complain

ACT = "https://relay.example/act/abc.def?x=1&y=2"


def test_a_page_can_be_acknowledged_from_the_notification(
    http: HTTPClient, http_vendor: HTTPVendor
) -> None:
    topic = http_vendor.url.partition("?")[0]
    NtfyChannel(http).send(make_envelope(), {"to": [topic], "token": "tk_x"})
    assert http_vendor.paths == ["/"]
    [(headers, body)] = http_vendor.requests
    assert headers["authorization"] == "Bearer tk_x"
    assert json.loads(body) == {
        "topic": SECRET,
        "title": "Firing: Disk full on db1",
        "message": (
            "Page\n97 % used\n3 GB left\nSeverity: Critical\nTeam: Databases\nAssignee: ann\n"
            "Firing since: 2026-03-01 09:29 UTC\nSignals: 3\ninstance=db1:9100, job=node"
        ),
        "priority": 5,
        "tags": ["rotating_light"],
        "click": ACT,
        "actions": [
            {
                "action": "http",
                "label": "Acknowledge",
                "url": ACT,
                "method": "POST",
                "headers": {"Content-Type": "application/x-www-form-urlencoded"},
                "body": "action=acknowledge",
                "clear": True,
            },
            {"action": "view", "label": "Open", "url": "https://relay.example/alerts/17"},
            {"action": "view", "label": "Runbook", "url": "https://wiki.example/disk"},
        ],
    }


@pytest.mark.parametrize(
    ("status", "severity", "priority"),
    [
        (AlertStatus.FIRING, Severity.CRITICAL, 5),
        (AlertStatus.FIRING, Severity.INFO, 2),
        (AlertStatus.ACKNOWLEDGED, Severity.CRITICAL, 2),
        (AlertStatus.RESOLVED, Severity.CRITICAL, 2),
    ],
)
def test_only_what_pages_is_loud(status: AlertStatus, severity: Severity, priority: int) -> None:
    assert payload(make_envelope(status=status, severity=severity), "t")["priority"] == priority


def test_nothing_is_acknowledged_twice_or_for_a_team() -> None:
    for envelope in (
        make_envelope(status=AlertStatus.RESOLVED),
        make_envelope(links=Links("https://relay.example/alerts/17")),
        make_bundle(3),
    ):
        labels = [action["label"] for action in payload(envelope, "t")["actions"]]
        assert "Acknowledge" not in labels


def test_a_long_message_stays_a_message() -> None:
    data = payload(make_envelope(description="漢" * 3000), SECRET)
    assert complain("/", data) is None


@pytest.mark.parametrize("topic", ["https://ntfy.sh/my-topic", "http://push.example:8080/A_b-9"])
def test_a_topic_is_a_url(topic: str) -> None:
    assert personal_topic(f" {topic} ") == topic
    assert NtfyConfig().load({"to": [topic]}) == {"to": [topic]}


@pytest.mark.parametrize(
    "topic",
    [
        "my-topic", "https://ntfy.sh", "https://ntfy.sh/", "https://ntfy.sh/a/b",
        "https://ntfy.sh/a?auth=x", "https://u:p@ntfy.sh/a", f"https://ntfy.sh/{'a' * 65}",
    ],
)  # fmt: skip
def test_anything_else_is_no_topic(topic: str) -> None:
    with pytest.raises(ValueError, match="topic's URL"):
        personal_topic(topic)
    with pytest.raises(ValidationError):
        NtfyConfig().load({"to": [topic]})


@pytest.mark.parametrize(
    "wrong", [{"to": []}, {"to": ["https://a.example/b"] * 2}, {"token": "a b"}]
)
def test_a_wrong_configuration_is_rejected(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NtfyConfig().load({"to": ["https://ntfy.sh/a"]} | wrong)
