"""Slack, by an incoming webhook.

Facts: docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
docs.slack.dev/reference/block-kit/blocks (limits).
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import Schema

from incidentrelay.channels.base import ChannelInfo, SendResult
from incidentrelay.channels.card import Card, Entry, make_card
from incidentrelay.channels.config_fields import url_field
from incidentrelay.channels.render import shorten
from incidentrelay.channels.replies import post
from incidentrelay.domain.messages import Envelope
from incidentrelay.transport.http import HTTPClient

# Slack allows 3,000 characters a section, and 2,000 a field.
_MAX_SECTION = 2900
_MAX_FIELD = 1900
_HEADERS = {"content-type": "application/json"}


class SlackConfig(Schema):
    """The webhook decides the workspace and the channel."""

    url = url_field("URL of the incoming webhook: https://hooks.slack.com/services/…")


class SlackChannel:
    info = ChannelInfo(
        name="slack",
        label="Slack",
        word="Slack",
        docs="channels/slack",
        config_schema=SlackConfig,
        secrets=frozenset({"url"}),
        destinations=frozenset({"url"}),
    )

    def __init__(self, http: HTTPClient) -> None:
        self._http = http
        self.time_limit = http.total_deadline if http else None

    def send(self, envelope: Envelope, config: Mapping[str, Any]) -> SendResult:
        """One POST; Slack answers 200 and ``ok``."""
        body = json.dumps(payload(make_card(envelope))).encode()
        response = post(self._http, config["url"], content=body, headers=_HEADERS, now=envelope.now)
        return SendResult(detail=f"Slack answered {response.status}.")


def payload(card: Card) -> dict[str, Any]:
    """``text`` is what notifications show; the attachment has the colour."""
    blocks = [_section(text) for text in _texts(card)]
    if card.facts:
        fields = [_mrkdwn(f"*{name}*\n{escape(value)}", _MAX_FIELD) for name, value in card.facts]
        blocks.insert(1, {"type": "section", "fields": fields})
    return {
        "text": escape(card.summary),
        "attachments": [{"color": f"#{card.colour:06x}", "blocks": blocks}],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def escape(text: str) -> str:
    """Only these three are special; without them, no mention or link can be forged."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _texts(card: Card) -> Iterator[str]:
    title = _link(card.url, card.title)
    yield f"*{title}*\n{escape(' · '.join(filter(None, (card.headline, card.state))))}"
    if card.description:
        yield escape(shorten(card.description, 1500))
    if card.entries:
        lines = [_entry(entry) for entry in card.entries]
        yield _joined([*lines, *([f"and {card.omitted} more"] if card.omitted else [])])
    if card.labels:
        yield _joined([f"`{_code(name)}={_code(value)}`" for name, value in card.labels])
    if card.links:
        yield "  ·  ".join(f"*{_link(link.url, link.label)}*" for link in card.links)


def _joined(lines: list[str]) -> str:
    """As many whole lines as fit: a line cut in its middle may break a link."""
    text = ""
    for line in lines:
        if len(text) + len(line) + 3 > _MAX_SECTION:
            return f"{text}\n…"
        text += f"\n{line}" if text else line
    return text


def _entry(entry: Entry) -> str:
    return f"• {escape(entry.label)}: {_link(entry.url, entry.title)}"


def _link(url: str | None, label: str) -> str:
    """A link; ``|`` ends its URL, and a line break its label."""
    if url is None or len(url) > 1000:
        return escape(label)
    return f"<{escape(url).replace('|', '%7C')}|{escape(label)}>"


def _code(text: str) -> str:
    return escape(text.replace("`", "ʼ"))


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn(text, _MAX_SECTION)}


def _mrkdwn(text: str, longest: int) -> dict[str, Any]:
    # "verbatim" keeps Slack from turning names and URLs in the text into links.
    return {"type": "mrkdwn", "text": shorten(text, longest), "verbatim": True}
