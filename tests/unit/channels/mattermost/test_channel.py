"""Mattermost's payloads."""

import json

import pytest
from marshmallow import ValidationError

from incidentrelay.channels.card import make_card
from incidentrelay.channels.mattermost.channel import (
    MattermostChannel,
    MattermostConfig,
    escape,
    payload,
)
from incidentrelay.domain.messages import Links
from incidentrelay.transport.http import HTTPClient
from tests.unit.channels.conftest import HTTPVendor, make_bundle, make_envelope

URL = "https://chat.example/hooks/abc"


def test_a_page_is_one_attachment(http: HTTPClient, http_vendor: HTTPVendor) -> None:
    envelope = make_envelope(links=Links("https://relay.example/alerts/17"))
    config = {"url": http_vendor.url, "channel": "alerts"}
    MattermostChannel(http).send(envelope, config)
    [(_, body)] = http_vendor.requests
    assert json.loads(body) == {
        "channel": "alerts",
        "attachments": [
            {
                "fallback": "Firing: Disk full on db1",
                "color": "#c01c28",
                "title": "Disk full on db1",
                "title_link": "https://relay.example/alerts/17",
                "text": (
                    "Page · Firing\n\n"
                    "> 97 % used\n> 3 GB left\n\n"
                    "`instance=db1:9100` `job=node`\n\n"
                    "**[Open alert](https://relay.example/alerts/17)** · "
                    "**[Runbook](https://wiki.example/disk)** · "
                    "**[Source](https://prometheus.example/graph?g0=1)**"
                ),
                "fields": [
                    {"title": "Severity", "value": "Critical", "short": True},
                    {"title": "Team", "value": "Databases", "short": True},
                    {"title": "Assignee", "value": "ann", "short": True},
                    {"title": "Firing since", "value": r"2026\-03\-01 09:29 UTC", "short": True},
                    {"title": "Signals", "value": "3", "short": True},
                ],
                "footer": "IncidentRelay",
            }
        ],
    }


def test_strangers_notify_nobody() -> None:
    hostile = make_envelope(
        title="@channel @all", headline="@here", team="@here", labels={"@all": "@channel"},
        description="![x](http://spy.example/a.png) @channel",
    )  # fmt: skip
    shown = json.dumps(payload(make_card(hostile)), ensure_ascii=False)
    assert shown.count("@") == shown.count("@\u200b") > 0
    assert "![" not in shown


def test_markdown_of_strangers_is_shown_as_it_is() -> None:
    assert escape("[a](b) *c* `d` #e") == r"\[a\]\(b\) \*c\* \`d\` \#e"


def test_a_bundle_lists_its_alerts() -> None:
    [attachment] = payload(make_card(make_bundle(30)))["attachments"]
    lines = attachment["text"].split("\n")
    assert "- Critical: [Disk 0 full](https://relay.example/alerts/0)" in lines
    assert "- and 10 more" in lines


@pytest.mark.parametrize("channel", ["alerts", "@ann", "ops.eu-1"])
def test_a_channel_can_be_named(channel: str) -> None:
    assert MattermostConfig().load({"url": URL, "channel": channel})["channel"] == channel


@pytest.mark.parametrize("channel", ["", "Town Square", "#alerts", "a" * 70, "a\n"])
def test_a_channel_is_named_as_in_its_url(channel: str) -> None:
    with pytest.raises(ValidationError):
        MattermostConfig().load({"url": URL, "channel": channel})
