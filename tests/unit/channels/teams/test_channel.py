"""The cards for Microsoft Teams."""

import json

import pytest
from marshmallow import ValidationError

from incidentrelay.channels.card import make_card
from incidentrelay.channels.teams.channel import TeamsChannel, TeamsConfig, encode, escape
from incidentrelay.domain.enums import AlertStatus, Severity
from incidentrelay.domain.messages import Links
from incidentrelay.transport.http import HTTPClient
from tests.unit.channels.conftest import HTTPVendor, make_bundle, make_envelope, make_signals
from tests.unit.channels.teams.fake import complain


def test_a_page_is_a_card(http: HTTPClient, http_vendor: HTTPVendor) -> None:
    http_vendor.status = 202
    envelope = make_envelope(links=Links("https://relay.example/alerts/17"))
    result = TeamsChannel(http).send(envelope, {"url": http_vendor.url})
    assert result.detail == "The workflow accepted the message."
    assert result.delivered is False
    [(_, body)] = http_vendor.requests
    card = json.loads(body)["attachments"][0]["content"]
    head, facts, description, labels = card["body"]
    assert head["style"] == "attention"
    assert [item["text"] for item in head["items"]] == ["Disk full on db1", "Page · Firing"]
    assert facts["facts"][0] == {"title": "Severity", "value": "Critical"}
    assert description["text"] == "97 % used\n\n3 GB left"
    assert labels["text"] == "instance=db1:9100, job=node"
    assert card["actions"][0] == {
        "type": "Action.OpenUrl",
        "title": "Open alert",
        "url": "https://relay.example/alerts/17",
    }


@pytest.mark.parametrize(
    ("status", "severity", "style"),
    [
        (AlertStatus.RESOLVED, Severity.CRITICAL, "good"),
        (AlertStatus.ACKNOWLEDGED, Severity.CRITICAL, "default"),
        (AlertStatus.FIRING, Severity.HIGH, "attention"),
        (AlertStatus.FIRING, Severity.LOW, "warning"),
    ],
)
def test_the_style_is_the_state(
    http: HTTPClient, http_vendor: HTTPVendor, status: AlertStatus, severity: Severity, style: str
) -> None:
    envelope = make_envelope(status=status, severity=severity)
    TeamsChannel(http).send(envelope, {"url": http_vendor.url})
    [(_, body)] = http_vendor.requests
    assert json.loads(body)["attachments"][0]["content"]["body"][0]["style"] == style


def test_markdown_of_strangers_is_shown_as_it_is() -> None:
    assert escape("[a](http://evil) **b** _c_ #d") == r"\[a\]\(http://evil\) \*\*b\*\* \_c\_ \#d"


def test_a_card_that_is_too_large_goes_without_lists() -> None:
    """Non-ASCII text takes six bytes a character in JSON."""
    wide = {"title": "漢" * 300, "description": "漢" * 2000}
    signals = make_signals(*["漢" * 200] * 20)
    envelope = make_envelope(**wide, signals=signals, signal_count=20)
    body = encode(make_card(envelope), "attention")
    assert complain("/", json.loads(body)) is None
    assert "Signals" in body.decode()
    assert body.count(b"TextBlock") == 3


def test_a_bundle_lists_its_alerts() -> None:
    card = json.loads(encode(make_card(make_bundle(30)), "attention"))["attachments"][0]["content"]
    texts = [element["text"] for element in card["body"] if element["type"] == "TextBlock"]
    assert texts[0] == "Critical: Disk 0 full"
    assert texts[-1] == "and 10 more"


def test_a_retired_connector_is_rejected_with_the_way_out() -> None:
    with pytest.raises(ValidationError, match="Create a Workflow"):
        TeamsConfig().load({"url": "https://acme.webhook.office.com/webhookb2/x"})
