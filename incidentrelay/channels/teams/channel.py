"""Microsoft Teams, by a Workflow that posts a card when its webhook is called.

Facts: learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors and
adaptivecards.io/explorer.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from marshmallow import Schema, ValidationError

from incidentrelay.channels.base import ChannelInfo, SendResult
from incidentrelay.channels.card import Card, make_card
from incidentrelay.channels.config_fields import url_field
from incidentrelay.channels.render import shorten
from incidentrelay.channels.replies import post
from incidentrelay.domain.enums import AlertStatus, Severity
from incidentrelay.domain.messages import Envelope, Message
from incidentrelay.transport.http import HTTPClient

_HEADERS = {"content-type": "application/json"}
_SPECIAL = re.compile(r"([\\\[\]()*_#])")
# Teams accepts about 28 KB; labels and signals go first.
_MAX_BYTES = 27_000
_RETIRED = ".webhook.office.com"


def _check_not_retired(url: str) -> None:
    if (urlsplit(url).hostname or "").endswith(_RETIRED):
        raise ValidationError(
            "Microsoft has retired connectors. Create a Workflow and enter its URL instead."
        )


class TeamsConfig(Schema):
    """The workflow decides the team and the channel."""

    url = url_field(
        "URL of a workflow that starts “When a Teams webhook request is received”.",
        _check_not_retired,
    )


class TeamsChannel:
    info = ChannelInfo(
        name="teams",
        label="Microsoft Teams",
        word="Microsoft Teams",
        docs="channels/teams",
        config_schema=TeamsConfig,
        secrets=frozenset({"url"}),
        destinations=frozenset({"url"}),
    )

    def __init__(self, http: HTTPClient) -> None:
        self._http = http
        self.time_limit = http.total_deadline if http else None

    def send(self, envelope: Envelope, config: Mapping[str, Any]) -> SendResult:
        """One POST. The workflow's answer does not prove that it posted the card."""
        body = encode(make_card(envelope), _style(envelope.message))
        post(self._http, config["url"], content=body, headers=_HEADERS, now=envelope.now)
        return SendResult(detail="The workflow accepted the message.")


def encode(card: Card, style: str) -> bytes:
    """The request's body, within the size limit: without lists if it would be too long."""
    body = json.dumps(payload(card, style)).encode()
    if len(body) > _MAX_BYTES:
        body = json.dumps(payload(card, style, lists=False)).encode()
    return body


def payload(card: Card, style: str, *, lists: bool = True) -> dict[str, Any]:
    """A message with one Adaptive Card 1.4, which all of Teams' programs show."""
    content: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": card.summary,
        "body": list(_body(card, style, lists)),
        "actions": [
            {"type": "Action.OpenUrl", "title": link.label, "url": link.url} for link in card.links
        ],
        "msteams": {"width": "full"},
    }
    return {
        "type": "message",
        "summary": card.summary,
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": content,
            }
        ],
    }


def escape(text: str) -> str:
    """``text`` without the Markdown that Teams knows."""
    return _SPECIAL.sub(r"\\\1", text)


def _style(message: Message) -> str:
    if message.status is AlertStatus.RESOLVED:
        return "good"
    if message.status is AlertStatus.ACKNOWLEDGED:
        return "default"
    return "attention" if message.severity in {Severity.CRITICAL, Severity.HIGH} else "warning"


def _body(card: Card, style: str, lists: bool) -> Iterator[dict[str, Any]]:
    title = _text(card.title, size="Large", weight="Bolder")
    state = _text(card.subtitle, isSubtle=True)
    yield {"type": "Container", "style": style, "bleed": True, "items": [title, state]}
    if card.facts:
        facts = [{"title": name, "value": escape(value)} for name, value in card.facts]
        yield {"type": "FactSet", "facts": facts}
    if card.description:
        yield _text(shorten(card.description, 1500))
    if not lists:
        return
    for entry in card.entries:
        yield _text(f"{entry.label}: {entry.title}", spacing="Small")
    if card.omitted:
        yield _text(f"and {card.omitted} more", isSubtle=True, spacing="Small")
    if card.labels:
        labels = ", ".join(f"{name}={value}" for name, value in card.labels)
        yield _text(labels, isSubtle=True, fontType="Monospace")


def _text(text: str, **style: Any) -> dict[str, Any]:
    # A single line break is no break in Teams.
    shown = escape(text).replace("\n", "\n\n")
    return {"type": "TextBlock", "text": shown, "wrap": True, **style}
