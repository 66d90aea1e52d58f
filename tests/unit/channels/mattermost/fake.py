"""Mattermost's incoming webhook: it splits long texts, which the test counts as an error."""

from typing import Any

import pytest

from tests.unit.channels.conftest import Fake, HTTPVendor

_FIELDS = {"channel", "attachments"}
_ATTACHMENT = {"fallback", "color", "title", "title_link", "text", "fields", "footer"}


def fake(request: pytest.FixtureRequest) -> Fake:
    vendor: HTTPVendor = request.getfixturevalue("new_vendor")()
    vendor.complain = complain
    return Fake(
        {"url": vendor.url, "channel": "alerts"},
        received=lambda: [body for _, body in vendor.requests],
        fail_for_now=lambda: setattr(vendor, "status", 503),
        refuse=lambda: setattr(vendor, "status", 404),
        fail_for_good=lambda: setattr(vendor, "status", 410),
    )


def complain(_path: str, data: Any) -> str | None:
    """The error that Mattermost would answer with."""
    if not isinstance(data, dict) or not data.keys() <= _FIELDS:
        return "Unable to parse incoming data"
    if data.get("channel") not in (None, "alerts"):
        return "Couldn't find the channel"
    for attachment in data["attachments"]:
        if attachment.keys() != _ATTACHMENT or not attachment["fallback"]:
            return "Unable to parse incoming data"
        if len(attachment["text"]) > 16383:
            return "The text would become several posts"
    return None
