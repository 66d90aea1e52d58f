"""An ntfy server: publishing as JSON, with its limits."""

from typing import Any

import pytest

from tests.unit.channels.conftest import SECRET, Fake, HTTPVendor

_FIELDS = {"topic", "title", "message", "priority", "tags", "actions", "click"}
_ACTION = {"action", "label", "url", "method", "headers", "body", "clear"}


def fake(request: pytest.FixtureRequest) -> Fake:
    vendor: HTTPVendor = request.getfixturevalue("new_vendor")()
    vendor.complain = complain
    base = vendor.url.partition(f"/{SECRET}")[0]
    return Fake(
        {"to": [f"{base}/{SECRET}"], "token": f"tk_{SECRET}"},
        received=lambda: [body for _, body in vendor.requests],
        fail_for_now=lambda: setattr(vendor, "status", 503),
        refuse=lambda: setattr(vendor, "status", 403),
        fail_for_good=lambda: setattr(vendor, "status", 410),
    )


def complain(path: str, data: Any) -> str | None:
    """The error that ntfy would answer with."""
    if path != "/" or data["topic"] != SECRET:
        return "page not found"
    if not data.keys() <= _FIELDS or not 1 <= data["priority"] <= 5:
        return "invalid request: request body must be valid JSON"
    if len(data["message"].encode()) > 4096:
        return "the message would become an attachment"
    actions = data["actions"]
    if len(actions) > 3 or any(not action.keys() <= _ACTION for action in actions):
        return "invalid actions"
    return None
