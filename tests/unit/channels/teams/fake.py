"""A Workflow that posts an Adaptive Card."""

import json
from typing import Any

import pytest

from tests.unit.channels.conftest import Fake, HTTPVendor

_ELEMENTS = {"Container", "FactSet", "TextBlock"}
_CARD = "application/vnd.microsoft.card.adaptive"


def fake(request: pytest.FixtureRequest) -> Fake:
    vendor: HTTPVendor = request.getfixturevalue("new_vendor")()
    vendor.complain, vendor.status, vendor.body = complain, 202, b""
    return Fake(
        {"url": vendor.url},
        received=lambda: [body for _, body in vendor.requests],
        fail_for_now=lambda: setattr(vendor, "status", 503),
        refuse=lambda: setattr(vendor, "status", 404),
        fail_for_good=lambda: setattr(vendor, "status", 410),
    )


def complain(_path: str, data: Any) -> str | None:
    """Why the workflow would fail, which it would not tell a sender."""
    if len(json.dumps(data)) > 28 * 1024:
        return "Request Entity too large"
    if data["type"] != "message" or len(data["attachments"]) != 1:
        return "the trigger wants one card"
    [attachment] = data["attachments"]
    card = attachment["content"]
    if attachment["contentType"] != _CARD or card["type"] != "AdaptiveCard":
        return "not a card"
    if not {element["type"] for element in card["body"]} <= _ELEMENTS:
        return "unknown element"
    if any(action["type"] != "Action.OpenUrl" or not action["url"] for action in card["actions"]):
        return "a workflow's card can only open links"
    return None
