"""Mattermost, by an incoming webhook.

Facts: developers.mattermost.com/integrate/webhooks/incoming and
developers.mattermost.com/integrate/reference/message-attachments.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields, validate

from incidentrelay.channels.base import ChannelInfo, SendResult
from incidentrelay.channels.card import Card, make_card
from incidentrelay.channels.config_fields import url_field
from incidentrelay.channels.markdown import code, entry_lines, link
from incidentrelay.channels.replies import post
from incidentrelay.domain.messages import Envelope
from incidentrelay.transport.http import HTTPClient

_HEADERS = {"content-type": "application/json"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|>~<])")
# A mention works even inside an attachment, unless something follows the @.
_MENTION = re.compile("@(?!\u200b)")


class MattermostConfig(Schema):
    """The webhook decides the team, and the channel unless one is given."""

    url = url_field("URL of the incoming webhook: https://chat.example.com/hooks/…")
    channel = fields.String(
        validate=validate.Regexp(
            r"@?[a-z0-9][a-z0-9._-]{0,63}\Z", error="Write a channel's name from its URL, or @name."
        ),
        metadata={
            "description": "Another channel than the webhook's own, if the webhook allows it."
        },
    )


class MattermostChannel:
    info = ChannelInfo(
        name="mattermost",
        label="Mattermost",
        word="Mattermost",
        docs="channels/mattermost",
        config_schema=MattermostConfig,
        secrets=frozenset({"url"}),
        destinations=frozenset({"url"}),
    )

    def __init__(self, http: HTTPClient) -> None:
        self._http = http
        self.time_limit = http.total_deadline if http else None

    def send(self, envelope: Envelope, config: Mapping[str, Any]) -> SendResult:
        """One POST; Mattermost answers 200 and ``ok``."""
        data = payload(make_card(envelope))
        if config.get("channel"):
            data["channel"] = config["channel"]
        body = json.dumps(data).encode()
        response = post(self._http, config["url"], content=body, headers=_HEADERS, now=envelope.now)
        return SendResult(detail=f"Mattermost answered {response.status}.")


def payload(card: Card) -> dict[str, Any]:
    """One attachment, which shows the colour. No text: it would repeat the title."""
    return {
        "attachments": [
            {
                "fallback": _defuse(card.summary),
                "color": f"#{card.colour:06x}",
                # The title is plain text, but a mention in it would still notify.
                "title": _defuse(card.title),
                "title_link": card.url or "",
                "text": _text(card),
                "fields": [
                    {"title": name, "value": escape(value), "short": True}
                    for name, value in card.facts
                ],
                "footer": "IncidentRelay",
            }
        ]
    }


def escape(text: str) -> str:
    """``text`` without Markdown, images and mentions."""
    return _defuse(_SPECIAL.sub(r"\\\1", text))


def _defuse(text: str) -> str:
    return _MENTION.sub("@\u200b", text)


def _text(card: Card) -> str:
    parts = [escape(card.subtitle)]
    if card.description:
        parts.append("\n".join(f"> {escape(line)}" for line in card.description.split("\n")))
    if card.entries:
        parts.append("\n".join(entry_lines(card, escape, "-")))
    if card.labels:
        parts.append(" ".join(code(_defuse(f"{name}={value}")) for name, value in card.labels))
    if card.links:
        parts.append(" · ".join(f"**{link(each.label, each.url)}**" for each in card.links))
    return "\n\n".join(parts)
