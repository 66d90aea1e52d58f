"""Discord's webhook, with its limits."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.unit.channels.conftest import Fake, HTTPVendor

MESSAGE = json.dumps({"id": "1100000000000000001", "channel_id": "7"}).encode()


def fake(request: pytest.FixtureRequest) -> Fake:
    vendor: HTTPVendor = request.getfixturevalue("new_vendor")()
    vendor.complain, vendor.body = complain, MESSAGE
    return Fake(
        {"url": vendor.url.partition("?")[0]},
        received=lambda: [body for _, body in vendor.requests],
        fail_for_now=lambda: setattr(vendor, "status", 502),
        refuse=lambda: setattr(vendor, "status", 404),
        fail_for_good=lambda: setattr(vendor, "status", 410),
    )


def complain(path: str, data: Any) -> str | None:
    """Why Discord would reject the message, or would not say that it lost it."""
    if urlsplit(path).query != "wait=true":
        return "without wait, a lost message is no error"
    if data.get("allowed_mentions") != {"parse": []}:
        return "mentions would notify people"
    texts = 0
    for embed in data["embeds"]:
        parts = {
            256: [embed["title"], *(field["name"] for field in embed["fields"])],
            4096: [embed["description"]],
            1024: [field["value"] for field in embed["fields"]],
            2048: [embed["footer"]["text"]],
        }
        if any(not 0 < len(text) <= longest for longest in parts for text in parts[longest]):
            return "Must be between 1 and n in length"
        texts += sum(len(text) for each in parts.values() for text in each)
        if len(embed["fields"]) > 25 or not 0 <= embed["color"] < 1 << 24:
            return "Invalid Form Body"
    return "Embed size exceeds maximum size of 6000" if texts > 6000 else None
