"""The vendor of e-mail: an SMTP server on the loopback."""

import pytest

from tests.unit.channels.conftest import Fake, MailVendor


def fake(request: pytest.FixtureRequest) -> Fake:
    vendor: MailVendor = request.getfixturevalue("mail_vendor")
    return Fake(
        {"to": ["ann@example.org"]},
        received=lambda: [e.content for e in vendor.envelopes if isinstance(e.content, bytes)],
        fail_for_now=lambda: vendor.replies.update({"*": "451 4.7.1 later"}),
        refuse=lambda: vendor.replies.update({"*": "554 5.3.2 closing down"}),
        fail_for_good=lambda: vendor.replies.update({"*": "550 5.1.1 no such user"}),
    )
