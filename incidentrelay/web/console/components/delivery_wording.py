"""The state of a notification in plain words."""

from collections.abc import Mapping

from incidentrelay.domain.enums import DeliveryState
from incidentrelay.models import Notification

_WORDS: Mapping[DeliveryState, str] = {
    DeliveryState.PENDING: "Waiting",
    DeliveryState.SENDING: "Being sent",
    DeliveryState.RETRY: "Will be retried",
    DeliveryState.SENT: "Sent",
    DeliveryState.DELIVERED: "Arrived",
    DeliveryState.FAILED: "Failed",
    DeliveryState.CANCELLED: "No longer needed",
}


def state(row: Notification) -> str:
    if row.state is DeliveryState.CANCELLED and row.last_error:
        # This installation has no channel for it.
        return "Not sent"
    return _WORDS[row.state]


def note(row: Notification) -> str:
    """Anything unusual about it; "" if nothing is."""
    still_waits = row.state in (DeliveryState.PENDING, DeliveryState.RETRY)
    if row.stalled_at is not None and still_waits:
        return "This provider is down. Others were notified; it is sent when the provider is back."
    if row.bundle not in (None, row.uid):
        return "In one message with other alerts."
    return ""
