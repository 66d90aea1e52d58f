"""Telegram's Bot API: sendMessage, with its limits and its error bodies."""

import json
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.unit.channels.conftest import SECRET, Fake, HTTPVendor

TOKEN = f"123456:{SECRET}-{'x' * 24}"
_FIELDS = {"chat_id", "text", "parse_mode", "link_preview_options", "message_thread_id"}
_TAGS = {"a", "b", "code", "pre"}


def fake(request: pytest.FixtureRequest) -> Fake:
    vendor: HTTPVendor = request.getfixturevalue("new_vendor")()
    vendor.complain = complain
    vendor.body = json.dumps({"ok": True, "result": {"message_id": 9}}).encode()

    def fail(status: int, description: str) -> None:
        vendor.status = status
        answer = {"ok": False, "error_code": status, "description": description}
        vendor.body = json.dumps(answer).encode()

    return Fake(
        {"token": TOKEN, "chat": "-100", "api_url": vendor.url.partition(f"/{SECRET}")[0]},
        received=lambda: [body for _, body in vendor.requests],
        fail_for_now=lambda: fail(502, "Bad Gateway"),
        refuse=lambda: fail(401, "Unauthorized"),
        fail_for_good=lambda: fail(403, "Forbidden: bot was kicked from the group chat"),
    )


def complain(path: str, data: Any) -> str | None:
    """The description of the error that Telegram would answer with."""
    if path != f"/bot{TOKEN}/sendMessage":
        return "Not Found"
    if not data.keys() <= _FIELDS or data["chat_id"] not in {"-100", "-200"}:
        return "Bad Request: chat not found"
    parser = _Reader()
    if data.get("parse_mode") == "HTML":
        parser.feed(data["text"])
        parser.close()
    if parser.open or parser.unknown:
        return "Bad Request: can't parse entities"
    shown = "".join(parser.texts) if data.get("parse_mode") else data["text"]
    return None if 0 < len(shown) <= 4096 else "Bad Request: message is too long"


class _Reader(HTMLParser):
    """Reads Telegram's tags; ``open`` and ``unknown`` are errors at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.unknown: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)
        if tag not in _TAGS:
            self.unknown.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unknown.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
