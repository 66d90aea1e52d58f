"""ntfy: push notifications on phones. Facts: docs.ntfy.sh/publish."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from marshmallow import Schema, ValidationError, fields, validate

from incidentrelay.channels.base import ChannelInfo, Personal, SendResult
from incidentrelay.channels.card import Card, make_card
from incidentrelay.channels.config_fields import check_url
from incidentrelay.channels.render import shorten, web_link
from incidentrelay.channels.replies import post
from incidentrelay.domain.enums import AlertStatus, Severity
from incidentrelay.domain.messages import Envelope, Message
from incidentrelay.transport.http import HTTPClient

_TOPIC = re.compile(r"/[A-Za-z0-9_-]{1,64}")
# ntfy turns a longer message (in bytes) into an attachment.
_MAX_BYTES = 3500
_PRIORITIES = {
    Severity.CRITICAL: 5,
    Severity.HIGH: 4,
    Severity.MEDIUM: 3,
    Severity.WARNING: 3,
    Severity.LOW: 2,
    Severity.INFO: 2,
}
_TAGS = {
    AlertStatus.FIRING: "rotating_light",
    AlertStatus.ACKNOWLEDGED: "eyes",
    AlertStatus.RESOLVED: "white_check_mark",
}


def _check_topic(value: str) -> None:
    check_url(value)
    parts = urlsplit(value)
    if not _TOPIC.fullmatch(parts.path) or parts.query or parts.fragment:
        raise ValidationError("Write the topic's URL, such as https://ntfy.sh/my-secret-topic.")


class NtfyConfig(Schema):
    """One topic."""

    to = fields.List(
        fields.String(validate=_check_topic),
        required=True,
        validate=validate.Length(min=1, max=1),
        metadata={"description": "The topic's URL, such as https://ntfy.example.com/infra."},
    )
    token = fields.String(
        validate=validate.Regexp(r"[!-~]{1,200}\Z", error="It is not an access token."),
        metadata={"description": "Access token of a protected topic (tk_…)."},
    )


def personal_topic(value: str) -> str:
    """A person's topic; raises ValueError if it is none."""
    topic = value.strip()
    try:
        _check_topic(topic)
    except ValidationError:
        raise ValueError(
            "Write the topic's URL, such as https://ntfy.sh/my-secret-topic."
        ) from None
    return topic


class NtfyChannel:
    info = ChannelInfo(
        name="ntfy",
        label="ntfy",
        word="ntfy",
        docs="channels/ntfy",
        config_schema=NtfyConfig,
        secrets=frozenset({"token", "to"}),
        destinations=frozenset({"to"}),
        capabilities=frozenset({"personal"}),
        personal=Personal("ntfy topic", personal_topic, input_type="url"),
    )

    def __init__(self, http: HTTPClient) -> None:
        self._http = http
        self.time_limit = http.total_deadline if http else None

    def send(self, envelope: Envelope, config: Mapping[str, Any]) -> SendResult:
        """One POST of JSON to the server; the topic is a field of it."""
        [address] = config["to"]
        parts = urlsplit(address)
        data = payload(envelope, parts.path.removeprefix("/"))
        headers = {"content-type": "application/json"}
        if config.get("token"):
            headers["authorization"] = f"Bearer {config['token']}"
        response = post(
            self._http,
            f"{parts.scheme}://{parts.netloc}/",
            content=json.dumps(data).encode(),
            headers=headers,
            now=envelope.now,
        )
        return SendResult(detail=f"ntfy answered {response.status}.")


def payload(envelope: Envelope, topic: str) -> dict[str, Any]:
    """The notification: tapping it opens the alert, its button acknowledges it."""
    message, card = envelope.message, make_card(envelope)
    data: dict[str, Any] = {
        "topic": topic,
        "title": shorten(card.summary, 200),
        "message": _bounded(_text(card)),
        "priority": _priority(message),
        "tags": [_TAGS[message.status]] if card.state else [],
        "actions": _actions(envelope),
    }
    if card.url:
        data["click"] = card.url
    return data


def _priority(message: Message) -> int:
    """5 rings through "do not disturb". What is over or taken care of is quiet."""
    return _PRIORITIES[message.severity] if message.status is AlertStatus.FIRING else 2


def _actions(envelope: Envelope) -> list[dict[str, Any]]:
    """At most three. Acknowledge posts to the personal link without opening a page."""
    actions: list[dict[str, Any]] = []
    act = web_link(envelope.links.act)
    if act and envelope.message.status is AlertStatus.FIRING:
        actions.append(
            {
                "action": "http",
                "label": "Acknowledge",
                "url": act,
                "method": "POST",
                "headers": {"Content-Type": "application/x-www-form-urlencoded"},
                "body": "action=acknowledge",
                "clear": True,
            }
        )
    links = (("Open", envelope.links.console), ("Runbook", envelope.message.runbook_link))
    for label, url in links:
        if (checked := web_link(url)) is not None:
            actions.append({"action": "view", "label": label, "url": checked})
    return actions


def _text(card: Card) -> str:
    lines = [card.headline, *([card.description] if card.description else [])]
    lines += [f"• {entry.label}: {entry.title}" for entry in card.entries]
    lines += [f"and {card.omitted} more"] if card.omitted else []
    lines += [f"{name}: {value}" for name, value in card.facts]
    lines += [", ".join(f"{name}={value}" for name, value in card.labels)] if card.labels else []
    return "\n".join(lines)


def _bounded(text: str) -> str:
    """``text`` in at most _MAX_BYTES of UTF-8, never within a character."""
    return text.encode()[:_MAX_BYTES].decode(errors="ignore")
