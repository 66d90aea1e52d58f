"""Discord, by a webhook.

Facts: discord.com/developers/docs/resources/webhook#execute-webhook and
discord.com/developers/docs/resources/message#embed-object-embed-limits.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import Schema, ValidationError

from incidentrelay.channels.base import ChannelInfo, SendResult
from incidentrelay.channels.card import Card, make_card
from incidentrelay.channels.config_fields import url_field
from incidentrelay.channels.markdown import code, entry_lines, link
from incidentrelay.channels.render import shorten
from incidentrelay.channels.replies import post
from incidentrelay.domain.messages import Envelope
from incidentrelay.transport.http import HTTPClient

_HEADERS = {"content-type": "application/json"}
_SPECIAL = re.compile(r"([\\*_~`|>#\-\[\]()@<])")
# Discord allows 4,096, and 6,000 for all texts of a message together.
_MAX_DESCRIPTION = 3500
_MAX_VALUE = 250


def _check_no_query(url: str) -> None:
    if "?" in url or "#" in url:
        raise ValidationError("Leave out the part from ? or #.")


class DiscordConfig(Schema):
    """The webhook decides the server and the channel."""

    url = url_field("URL of the webhook: https://discord.com/api/webhooks/…", _check_no_query)


class DiscordChannel:
    info = ChannelInfo(
        name="discord",
        label="Discord",
        word="Discord",
        docs="channels/discord",
        config_schema=DiscordConfig,
        secrets=frozenset({"url"}),
        destinations=frozenset({"url"}),
    )

    def __init__(self, http: HTTPClient) -> None:
        self._http = http
        self.time_limit = http.total_deadline if http else None

    def send(self, envelope: Envelope, config: Mapping[str, Any]) -> SendResult:
        """One POST. Without ``wait``, Discord does not report a message it could not save."""
        body = json.dumps(payload(make_card(envelope))).encode()
        response = post(
            self._http,
            f"{config['url']}?wait=true",
            content=body,
            headers=_HEADERS,
            now=envelope.now,
        )
        return SendResult(detail=f"Discord answered {response.status}.")


def payload(card: Card) -> dict[str, Any]:
    """One embed. ``allowed_mentions`` keeps texts by strangers from notifying anybody."""
    embed: dict[str, Any] = {
        "title": shorten(card.title, 250),
        "description": shorten("\n\n".join(_texts(card)), _MAX_DESCRIPTION),
        "color": card.colour,
        "fields": [
            {"name": name, "value": shorten(escape(value), _MAX_VALUE), "inline": True}
            for name, value in card.facts
        ],
        "footer": {"text": "IncidentRelay"},
    }
    if card.url:
        embed["url"] = card.url
    return {"embeds": [embed], "allowed_mentions": {"parse": []}}


def escape(text: str) -> str:
    """``text`` without Markdown, mentions and links."""
    return _SPECIAL.sub(r"\\\1", text)


def _texts(card: Card) -> Iterator[str]:
    """The links come first: a long description must not push them out."""
    yield f"**{escape(' · '.join(filter(None, (card.headline, card.state))))}**"
    if card.links:
        yield " · ".join(link(each.label, each.url) for each in card.links)
    if card.description:
        yield escape(card.description)
    if card.entries:
        yield "\n".join(entry_lines(card, escape, "•"))
    if card.labels:
        yield " ".join(code(f"{name}={value}") for name, value in card.labels)
