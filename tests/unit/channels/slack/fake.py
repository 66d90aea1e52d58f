"""Slack's incoming webhook, as strict as the real one about blocks and sizes."""

from typing import Any

import pytest

from tests.unit.channels.conftest import Fake, HTTPVendor

_FIELDS = {"text", "attachments", "unfurl_links", "unfurl_media"}


def fake(request: pytest.FixtureRequest) -> Fake:
    vendor: HTTPVendor = request.getfixturevalue("new_vendor")()
    vendor.complain = complain
    return Fake(
        {"url": vendor.url},
        received=lambda: [body for _, body in vendor.requests],
        fail_for_now=lambda: setattr(vendor, "status", 503),
        refuse=lambda: setattr(vendor, "status", 404),
        fail_for_good=lambda: setattr(vendor, "status", 410),
    )


def complain(_path: str, data: Any) -> str | None:
    """The error that Slack would answer with."""
    if not isinstance(data, dict) or not data.keys() <= _FIELDS:
        return "invalid_payload"
    if not data.get("text") or len(data["text"]) > 4000:
        return "no_text"
    blocks = [block for each in data["attachments"] for block in each["blocks"]]
    if not 0 < len(blocks) <= 50 or not all(map(_is_block, blocks)):
        return "invalid_blocks"
    return None


def _is_block(block: dict[str, Any]) -> bool:
    fields = block.get("fields", [])
    if block["type"] != "section" or not ("text" in block or fields) or len(fields) > 10:
        return False
    texts = [(block["text"], 3000)] if "text" in block else []
    texts += [(field, 2000) for field in fields]
    return all(
        text["type"] == "mrkdwn" and 0 < len(text["text"]) <= longest for text, longest in texts
    )
