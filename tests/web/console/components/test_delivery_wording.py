"""States of notifications in words."""

from datetime import UTC, datetime

import pytest

from incidentrelay.domain.enums import DeliveryState
from incidentrelay.models import Notification
from incidentrelay.web.console.components import delivery_wording

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def row(state: DeliveryState, **values: object) -> Notification:
    given = {"last_error": "", "bundle": None, "stalled_at": None} | values
    return Notification(state=state, **given)


@pytest.mark.parametrize("state", list(DeliveryState))
def test_every_state_has_words_of_its_own(state: DeliveryState) -> None:
    others = {delivery_wording.state(row(one)) for one in DeliveryState if one is not state}
    assert delivery_wording.state(row(state)) not in others


def test_what_cannot_be_sent_was_needed() -> None:
    refused = row(DeliveryState.CANCELLED, last_error="E-mail is not set up.")
    assert delivery_wording.state(refused) == "Not sent"


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (DeliveryState.RETRY, "Others were notified"),
        (DeliveryState.PENDING, "Others were notified"),
        (DeliveryState.DELIVERED, "one message with other alerts"),
        (DeliveryState.CANCELLED, "one message with other alerts"),
    ],
)
def test_others_were_told_only_counts_while_it_waits(state: DeliveryState, expected: str) -> None:
    assert expected in delivery_wording.note(row(state, stalled_at=NOW, bundle="a"))


def test_most_have_no_note() -> None:
    assert delivery_wording.note(row(DeliveryState.SENT)) == ""
