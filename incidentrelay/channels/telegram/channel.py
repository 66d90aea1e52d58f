"""Telegram, by a bot's sendMessage.

Facts: core.telegram.org/bots/api#sendmessage and #making-requests (errors).
"""

import html
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from marshmallow import Schema, fields, validate

from incidentrelay.channels.base import (
    ChannelInfo,
    PermanentFailure,
    SendResult,
    TemporaryFailure,
)
from incidentrelay.channels.card import Card, make_card
from incidentrelay.channels.config_fields import url_field
from incidentrelay.channels.replies import LONGEST_WAIT, exchange, raise_for_status
from incidentrelay.domain.messages import Envelope
from incidentrelay.transport.http import HTTPClient, Response
from incidentrelay.transport.urls import origin_of

_API = "https://api.telegram.org"
_HEADERS = {"content-type": "application/json"}
# Telegram counts 4,096 characters after it has read the tags.
_MAX_TEXT = 3500
# What Telegram says about a chat that will not accept a message later either.
_GONE = (
    "chat not found",
    "bot was blocked",
    "bot was kicked",
    "bot is not a member",
    "user is deactivated",
    "the group chat was deleted",
    "not enough rights",
)
_DOTS = {
    0xC01C28: "🔴", 0xE8590C: "🟠", 0xD9A404: "🟡", 0x1A5FB4: "🔵", 0x1E7B3C: "🟢",
}  # fmt: skip


class TelegramConfig(Schema):
    """A bot, and the chat it writes to."""

    token = fields.String(
        required=True,
        validate=validate.Regexp(
            r"\d{3,20}:[A-Za-z0-9_-]{20,100}\Z", error="It is not a bot's token."
        ),
        metadata={"description": "The bot's token, from @BotFather."},
    )
    chat = fields.String(
        required=True,
        validate=validate.Regexp(
            r"(-?\d{1,20}|@[A-Za-z][A-Za-z0-9_]{3,31})\Z",
            error="Write the chat's number, or @name of a public channel.",
        ),
        metadata={"description": "The chat's number (groups: negative), or @name."},
    )
    topic = fields.Integer(
        validate=validate.Range(min=1, max=2**31 - 1),
        metadata={"description": "Number of a topic in a group that has topics."},
    )
    api_url = url_field("A Bot API server of your own.", required=False)


class TelegramChannel:
    info = ChannelInfo(
        name="telegram",
        label="Telegram",
        word="Telegram",
        docs="channels/telegram",
        config_schema=TelegramConfig,
        secrets=frozenset({"token"}),
        destinations=frozenset({"api_url"}),
    )

    def __init__(self, http: HTTPClient) -> None:
        self._http = http
        self.time_limit = http.total_deadline * 2 if http else None

    def send(self, envelope: Envelope, config: Mapping[str, Any]) -> SendResult:
        """One message; a second try as plain text if Telegram cannot read the tags."""
        card, chat = make_card(envelope), config["chat"]
        data = {"text": text(card), "parse_mode": "HTML"}
        response = self._post(envelope, config, chat, data)
        if response.status == 400 and "can't parse entities" in _description(response):
            response = self._post(envelope, config, chat, {"text": plain_text(card)})
        elif (moved := _parameters(response).get("migrate_to_chat_id")) is not None:
            chat = str(moved)
            response = self._post(envelope, config, chat, data)
        _raise_for_answer(response, origin_of(_base(config)), envelope)
        detail = "Telegram accepted the message."
        if chat != config["chat"]:
            detail += f" The group has become a supergroup: change the chat to {chat}."
        return SendResult({"chat": chat, "message": _message_id(response)}, detail=detail)

    def _post(
        self,
        envelope: Envelope,
        config: Mapping[str, Any],
        chat: str,
        data: Mapping[str, Any],
    ) -> Response:
        body = {"chat_id": chat, "link_preview_options": {"is_disabled": True}, **data}
        if config.get("topic"):
            body["message_thread_id"] = config["topic"]
        url = f"{_base(config)}/bot{config['token']}/sendMessage"
        return exchange(self._http, url, content=json.dumps(body).encode(), headers=_HEADERS)


def text(card: Card) -> str:
    """The message with Telegram's HTML tags."""
    return _bounded(_blocks(card, tags=True))


def plain_text(card: Card) -> str:
    return _bounded(_blocks(card, tags=False))


def _base(config: Mapping[str, Any]) -> str:
    return str(config.get("api_url") or _API).rstrip("/")


def _bounded(blocks: Iterator[str]) -> str:
    """As many whole blocks as fit: a tag cut in its middle would make all unreadable."""
    result = ""
    for part in blocks:
        if len(result) + len(part) > _MAX_TEXT:
            break
        result += f"\n\n{part}" if result else part
    return result


def _blocks(card: Card, *, tags: bool) -> Iterator[str]:
    """The links come before what may be long."""
    head = card.subtitle
    dot = _DOTS.get(card.colour, "⚪")
    yield f"{dot} {_bold(card.title, tags)}\n{_plain(head, tags)}"
    if card.links:
        yield "\n".join(_link(link.label, link.url, tags) for link in card.links)
    if card.facts:
        yield "\n".join(_plain(f"{name}: {value}", tags) for name, value in card.facts)
    if card.description:
        yield _plain(card.description, tags)
    for entry in card.entries:
        yield f"• {_plain(entry.label, tags)}: {_link(entry.title, entry.url, tags)}"
    if card.omitted:
        yield f"and {card.omitted} more"
    if card.labels:
        labels = "\n".join(f"{name}={value}" for name, value in card.labels)
        yield f"<pre>{html.escape(labels)}</pre>" if tags else labels


def _plain(value: str, tags: bool) -> str:
    return html.escape(value, quote=False) if tags else value


def _bold(value: str, tags: bool) -> str:
    return f"<b>{html.escape(value, quote=False)}</b>" if tags else value


def _link(label: str, url: str | None, tags: bool) -> str:
    if url is None:
        return _plain(label, tags)
    return f'<a href="{html.escape(url)}">{html.escape(label)}</a>' if tags else f"{label}: {url}"


def _raise_for_answer(response: Response, origin: str, envelope: Envelope) -> None:
    description = _description(response)
    wait = _parameters(response).get("retry_after")
    if response.status == 429 and isinstance(wait, int | float) and wait >= 0:
        seconds = min(wait, LONGEST_WAIT.total_seconds())
        raise TemporaryFailure(
            "Telegram asks for fewer messages.", retry_after=timedelta(seconds=seconds)
        )
    if response.status in {400, 403}:
        for phrase in _GONE:
            if phrase in description:
                raise PermanentFailure(f"Telegram answered {response.status}: {phrase}.")
    raise_for_status(response, origin, envelope.now)


def _answer(response: Response) -> Mapping[str, Any]:
    try:
        answer = json.loads(response.body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _description(response: Response) -> str:
    return str(_answer(response).get("description", "")).lower()


def _parameters(response: Response) -> Mapping[str, Any]:
    parameters = _answer(response).get("parameters")
    return parameters if isinstance(parameters, dict) else {}


def _message_id(response: Response) -> int | None:
    result = _answer(response).get("result")
    number = result.get("message_id") if isinstance(result, dict) else None
    return number if isinstance(number, int) else None
