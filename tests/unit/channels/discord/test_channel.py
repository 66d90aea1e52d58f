"""Discord's payloads."""

import json

import pytest
from marshmallow import ValidationError

from incidentrelay.channels.card import make_card
from incidentrelay.channels.discord.channel import DiscordChannel, DiscordConfig, escape, payload
from incidentrelay.domain.messages import Links
from incidentrelay.transport.http import HTTPClient
from tests.unit.channels.conftest import HTTPVendor, make_bundle, make_envelope, make_signals
from tests.unit.channels.discord.fake import MESSAGE, complain


def test_a_page_is_one_embed(http: HTTPClient, http_vendor: HTTPVendor) -> None:
    http_vendor.body = MESSAGE
    envelope = make_envelope(links=Links("https://relay.example/alerts/17"))
    DiscordChannel(http).send(envelope, {"url": http_vendor.url.partition("?")[0]})
    assert http_vendor.paths[0].endswith("?wait=true")
    [(_, body)] = http_vendor.requests
    assert json.loads(body) == {
        "allowed_mentions": {"parse": []},
        "embeds": [
            {
                "title": "Disk full on db1",
                "url": "https://relay.example/alerts/17",
                "color": 0xC01C28,
                "description": (
                    "**Page · Firing**\n\n"
                    "[Open alert](https://relay.example/alerts/17) · "
                    "[Runbook](https://wiki.example/disk) · "
                    "[Source](https://prometheus.example/graph?g0=1)\n\n"
                    "97 % used\n3 GB left\n\n"
                    "`instance=db1:9100` `job=node`"
                ),
                "fields": [
                    {"name": "Severity", "value": "Critical", "inline": True},
                    {"name": "Team", "value": "Databases", "inline": True},
                    {"name": "Assignee", "value": "ann", "inline": True},
                    {"name": "Firing since", "value": r"2026\-03\-01 09:29 UTC", "inline": True},
                    {"name": "Signals", "value": "3", "inline": True},
                ],
                "footer": {"text": "IncidentRelay"},
            }
        ],
    }


def test_texts_of_strangers_are_shown_as_they_are() -> None:
    assert escape("**a** [b](c) <@1> @everyone") == (r"\*\*a\*\* \[b\]\(c\) \<\@1\> \@everyone")


@pytest.mark.parametrize("size", [2, 100])
def test_the_longest_message_keeps_its_link(size: int) -> None:
    """Everything is at its limit; Discord would reject a message of more than 6,000."""
    signals = make_signals(*[f"{'*' * 200}{n}" for n in range(20)])
    text = {"title": "*" * 300, "description": "*" * 4000, "team": "*" * 300}
    labels = {f"{n}{'*' * 200}": "*" * 500 for n in range(20)}
    for envelope in (
        make_envelope(**text, labels=labels, signals=signals, signal_count=90),
        make_bundle(size, **text),
    ):
        data = payload(make_card(envelope))
        assert complain("/?wait=true", data) is None
        assert "/alerts" in data["embeds"][0]["description"][:400]


def test_parentheses_do_not_end_a_link() -> None:
    envelope = make_envelope(runbook_link="https://wiki.example/disk_(full)")
    description = payload(make_card(envelope))["embeds"][0]["description"]
    assert "[Runbook](https://wiki.example/disk_%28full%29)" in description


@pytest.mark.parametrize("url", ["https://discord.com/api/webhooks/1/x?wait=true", "ftp://a/b"])
def test_the_url_is_plain(url: str) -> None:
    with pytest.raises(ValidationError):
        DiscordConfig().load({"url": url})
