"""Slack's payloads, and the doubles' errors."""

import json

import pytest

from incidentrelay.channels.base import TemporaryFailure
from incidentrelay.channels.card import make_card
from incidentrelay.channels.slack.channel import SlackChannel, escape, payload
from incidentrelay.domain.enums import AlertStatus
from incidentrelay.domain.messages import Envelope, Links
from incidentrelay.transport.http import HTTPClient
from tests.unit.channels.conftest import HTTPVendor, make_bundle, make_envelope, make_signals
from tests.unit.channels.slack.fake import complain


def texts(envelope: Envelope) -> list[str]:
    [attachment] = payload(make_card(envelope))["attachments"]
    return [block["text"]["text"] for block in attachment["blocks"] if "text" in block]


def test_a_page_is_one_attachment(http: HTTPClient, http_vendor: HTTPVendor) -> None:
    envelope = make_envelope(links=Links("https://relay.example/alerts/17"))
    SlackChannel(http).send(envelope, {"url": http_vendor.url})
    [(_, body)] = http_vendor.requests
    data = json.loads(body)
    assert data["text"] == "Firing: Disk full on db1"
    [attachment] = data["attachments"]
    assert attachment["color"] == "#c01c28"
    title, facts, description, labels, links = attachment["blocks"]
    assert title["text"] == {
        "type": "mrkdwn",
        "text": "*<https://relay.example/alerts/17|Disk full on db1>*\nPage · Firing",
        "verbatim": True,
    }
    assert [field["text"] for field in facts["fields"]] == [
        "*Severity*\nCritical",
        "*Team*\nDatabases",
        "*Assignee*\nann",
        "*Firing since*\n2026-03-01 09:29 UTC",
        "*Signals*\n3",
    ]
    assert description["text"]["text"] == "97 % used\n3 GB left"
    assert labels["text"]["text"] == "`instance=db1:9100`\n`job=node`"
    assert links["text"]["text"] == (
        "*<https://relay.example/alerts/17|Open alert>*  ·  "
        "*<https://wiki.example/disk|Runbook>*  ·  "
        "*<https://prometheus.example/graph?g0=1|Source>*"
    )


def test_strangers_notify_nobody_and_forge_no_link() -> None:
    assert escape("<!channel> <@U1> & <http://evil|x>") == (
        "&lt;!channel&gt; &lt;@U1&gt; &amp; &lt;http://evil|x&gt;"
    )
    hostile = make_envelope(title="<!channel>", labels={"`a`": "`<@U1>`"}, description="<!here>")
    shown = "\n".join(texts(hostile))
    assert "<!" not in shown
    assert "<@" not in shown
    assert "`ʼaʼ=ʼ&lt;@U1&gt;ʼ`" in shown
    assert (
        "<https://a.example/%7Cb|" in texts(make_envelope(runbook_link="https://a.example/|b"))[-1]
    )


def test_a_bundle_lists_its_alerts_with_links() -> None:
    envelope = make_bundle(100)
    assert complain("/", payload(make_card(envelope))) is None
    entries = texts(envelope)[1].split("\n")
    assert entries[0] == "• Critical: <https://relay.example/alerts/0|Disk 0 full>"
    assert entries[-1] == "and 80 more"


def test_signals_are_listed() -> None:
    envelope = make_envelope(signals=make_signals("db1", "db2"), signal_count=30)
    assert texts(envelope)[2].split("\n") == [
        "• Critical: <https://prometheus.example/graph?g0=db1|Disk full on db1>",
        "• Critical: <https://prometheus.example/graph?g0=db2|Disk full on db2>",
        "and 28 more",
    ]


def test_a_list_that_is_too_long_ends_with_a_whole_line() -> None:
    links = [f"https://prometheus.example/{'x' * 400}{n}" for n in range(20)]
    signals = make_signals(*links)
    [shown] = [text for text in texts(make_envelope(signals=signals)) if text.startswith("• ")]
    assert shown.endswith("…")
    assert all(line.endswith(">") for line in shown.split("\n")[:-1])


@pytest.mark.parametrize(
    ("status", "colour"), [(AlertStatus.RESOLVED, "#1e7b3c"), (AlertStatus.ACKNOWLEDGED, "#4d5766")]
)
def test_the_colour_is_the_state(status: AlertStatus, colour: str) -> None:
    [attachment] = payload(make_card(make_envelope(status=status)))["attachments"]
    assert attachment["color"] == colour


def test_too_many_messages_wait_as_slack_asks(http: HTTPClient, http_vendor: HTTPVendor) -> None:
    http_vendor.status, http_vendor.headers = 429, {"Retry-After": "30"}
    with pytest.raises(TemporaryFailure) as caught:
        SlackChannel(http).send(make_envelope(), {"url": http_vendor.url})
    assert caught.value.retry_after is not None
    assert caught.value.retry_after.total_seconds() == 30
