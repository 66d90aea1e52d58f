"""Telegram's messages, and its errors."""

import json
from typing import Any

import pytest
from marshmallow import ValidationError

from incidentrelay.channels.base import PermanentFailure, TemporaryFailure
from incidentrelay.channels.card import make_card
from incidentrelay.channels.telegram.channel import (
    TelegramChannel,
    TelegramConfig,
    plain_text,
    text,
)
from incidentrelay.domain.messages import Links
from incidentrelay.transport.http import HTTPClient
from tests.unit.channels.conftest import SECRET, HTTPVendor, make_bundle, make_envelope
from tests.unit.channels.telegram.fake import TOKEN, complain


def config_of(vendor: HTTPVendor, **more: Any) -> dict[str, Any]:
    base = vendor.url.partition(f"/{SECRET}")[0]
    return {"token": TOKEN, "chat": "-100", "api_url": base, **more}


def answer(vendor: HTTPVendor, status: int, description: str, **parameters: Any) -> None:
    body = {"ok": False, "error_code": status, "description": description}
    vendor.status, vendor.body = status, json.dumps(body | {"parameters": parameters}).encode()


def test_a_page_is_one_message(http: HTTPClient, http_vendor: HTTPVendor) -> None:
    http_vendor.body = json.dumps({"ok": True, "result": {"message_id": 9}}).encode()
    envelope = make_envelope(links=Links("https://relay.example/alerts/17"))
    result = TelegramChannel(http).send(envelope, config_of(http_vendor, topic=4))
    assert result.handle == {"chat": "-100", "message": 9}
    [(_, body)] = http_vendor.requests
    data = json.loads(body)
    assert (data["chat_id"], data["message_thread_id"], data["parse_mode"]) == ("-100", 4, "HTML")
    assert data["link_preview_options"] == {"is_disabled": True}
    assert data["text"] == (
        "🔴 <b>Disk full on db1</b>\nPage · Firing\n\n"
        '<a href="https://relay.example/alerts/17">Open alert</a>\n'
        '<a href="https://wiki.example/disk">Runbook</a>\n'
        '<a href="https://prometheus.example/graph?g0=1">Source</a>\n\n'
        "Severity: Critical\nTeam: Databases\nAssignee: ann\n"
        "Firing since: 2026-03-01 09:29 UTC\nSignals: 3\n\n"
        "97 % used\n3 GB left\n\n"
        "<pre>instance=db1:9100\njob=node</pre>"
    )


def test_tags_of_strangers_are_text() -> None:
    envelope = make_envelope(title='<b>"x" & </b>', labels={"<pre>": "</pre>"})
    shown = text(make_card(envelope))
    assert '<b>&lt;b&gt;"x" &amp; &lt;/b&gt;</b>' in shown
    assert "<pre>&lt;pre&gt;=&lt;/pre&gt;</pre>" in shown


def test_a_long_message_keeps_whole_tags_and_its_link() -> None:
    for envelope in (make_envelope(description="<&>" * 4000), make_bundle(100, title="<" * 250)):
        shown = text(make_card(envelope))
        data = {"chat_id": "-100", "text": shown, "parse_mode": "HTML"}
        assert complain(f"/bot{TOKEN}/sendMessage", data) is None
        assert "https://relay.example/" in shown


def test_what_telegram_cannot_read_is_sent_as_plain_text(
    http: HTTPClient, http_vendor: HTTPVendor
) -> None:
    seen: list[Any] = []

    def complain_once(_path: str, data: Any) -> str | None:
        seen.append(data)
        http_vendor.body = (
            b'{"ok": true, "result": {"message_id": 9}}'
            if len(seen) > 1
            else b'{"ok": false, "description": "Bad Request: can\'t parse entities: x"}'
        )
        return "can't parse entities" if len(seen) == 1 else None

    http_vendor.complain = complain_once
    TelegramChannel(http).send(make_envelope(), config_of(http_vendor))
    assert [data.get("parse_mode") for data in seen] == ["HTML", None]
    assert seen[1]["text"] == plain_text(make_card(make_envelope()))
    assert "<b>" not in seen[1]["text"]


def test_a_group_that_became_a_supergroup_is_followed(
    http: HTTPClient, http_vendor: HTTPVendor
) -> None:
    def complain_about_old_number(_path: str, data: Any) -> str | None:
        if data["chat_id"] == "-200":
            http_vendor.body = b'{"ok": true, "result": {"message_id": 9}}'
            return None
        http_vendor.body = b'{"ok": false, "parameters": {"migrate_to_chat_id": -200}}'
        return "group chat was upgraded to a supergroup chat"

    http_vendor.complain = complain_about_old_number
    result = TelegramChannel(http).send(make_envelope(), config_of(http_vendor))
    assert result.handle["chat"] == "-200"
    assert "change the chat to -200" in result.detail


def test_too_many_messages_wait_as_telegram_asks(http: HTTPClient, http_vendor: HTTPVendor) -> None:
    answer(http_vendor, 429, "Too Many Requests: retry after 17", retry_after=17)
    with pytest.raises(TemporaryFailure) as caught:
        TelegramChannel(http).send(make_envelope(), config_of(http_vendor))
    assert caught.value.retry_after is not None
    assert caught.value.retry_after.total_seconds() == 17


@pytest.mark.parametrize(
    ("status", "description"),
    [
        (400, "Bad Request: chat not found"),
        (403, "Forbidden: bot was blocked by the user"),
        (403, "Forbidden: user is deactivated"),
    ],
)
def test_a_chat_that_is_gone_fails_at_once(
    http: HTTPClient, http_vendor: HTTPVendor, status: int, description: str
) -> None:
    answer(http_vendor, status, description)
    with pytest.raises(PermanentFailure) as caught:
        TelegramChannel(http).send(make_envelope(), config_of(http_vendor))
    assert caught.value.reason.startswith(f"Telegram answered {status}: ")


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": "abc"}, {"token": "123456:short"}, {"chat": "infra"}, {"chat": "-"},
        {"chat": "12\n"}, {"topic": 0}, {"api_url": "ftp://x"}, {"parse_mode": "HTML"},
    ],
)  # fmt: skip
def test_a_wrong_configuration_is_rejected(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        TelegramConfig().load({"token": TOKEN, "chat": "@infra_alerts"} | wrong)
    assert set(caught.value.normalized_messages()) == set(wrong)
