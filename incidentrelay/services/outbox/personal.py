"""Messages to a person without an alert: codes, tests of rules, and shift reminders."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidentrelay.domain.enums import DeliveryState, NotificationKind
from incidentrelay.services.recipients.directory import Recipient


def personal_row(
    recipient: Recipient,
    uid: str,
    kind: NotificationKind,
    message: Mapping[str, Any],
    *,
    due: datetime,
    now: datetime,
) -> dict[str, Any]:
    """The outbox row that sends ``message`` to one contact of a person."""
    return {
        "uid": uid,
        "alert_id": None,
        "team_id": None,
        "generation": 0,
        "step": 0,
        "kind": kind,
        "target": recipient.target,
        "method": recipient.method,
        "provider": recipient.method,
        "channel_id": None,
        "user_id": recipient.user_id,
        "contact_id": recipient.contact_id,
        "message": dict(message),
        "state": DeliveryState.PENDING,
        "priority": kind.priority,
        "next_at": due,
        "handle": {},
        "created_at": now,
    }
