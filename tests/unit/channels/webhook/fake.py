"""The webhook's vendor: an HTTP server on the loopback."""

import pytest

from tests.unit.channels.conftest import SECRET, Fake, HTTPVendor


def fake(request: pytest.FixtureRequest) -> Fake:
    vendor: HTTPVendor = request.getfixturevalue("new_vendor")()
    return Fake(
        {
            "url": vendor.url,
            "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "headers": {"Authorization": f"Bearer {SECRET}"},
        },
        received=lambda: [body for _, body in vendor.requests],
        fail_for_now=lambda: setattr(vendor, "status", 503),
        refuse=lambda: setattr(vendor, "status", 404),
        fail_for_good=lambda: setattr(vendor, "status", 410),
    )
