"""The timeline entries for notifications that have been sent, or have failed."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from incidentrelay import db
from incidentrelay.channels.kinds import word_of
from incidentrelay.domain.enums import DeliveryState, EventKind, NotificationKind
from incidentrelay.models import Channel, Event, Notification, User
from incidentrelay.services.common.timeline import make_event

_NOUNS: Mapping[NotificationKind, str] = {
    NotificationKind.PAGE: "Page",
    NotificationKind.ESCALATION: "Escalation",
    NotificationKind.FALLBACK: "Fallback page",
    NotificationKind.ASSIGNMENT: "Assignment",
    NotificationKind.REMINDER: "Reminder",
    NotificationKind.UPDATE: "Update",
}
_ENDED = (
    select(
        Notification.id,
        Notification.alert_id,
        Notification.kind,
        Notification.state,
        Notification.method,
        Notification.target,
        Notification.bundle,
        Notification.last_error,
        User.display_name,
        Channel.name,
    )
    .outerjoin(User, User.id == Notification.user_id)
    .outerjoin(Channel, Channel.id == Notification.channel_id)
    .where(
        Notification.id.in_(bindparam("ids", expanding=True)), Notification.alert_id.is_not(None)
    )
    .order_by(Notification.id)
)


def write_outcomes(
    session: Session, ids: Collection[int], now: datetime, *, others: int
) -> Mapping[int, DeliveryState]:
    """Record the final states on the timelines; returns the states of those with an alert.

    Each shared its message with ``others``. Cancelled notifications have no entry.
    """
    rows = session.execute(_ENDED, {"ids": list(ids)}).all()
    finished = [row for row in rows if row.state is not DeliveryState.CANCELLED]
    db.insert_all(session, Event, [_line(row, others, now) for row in finished])
    return {row.id: row.state for row in rows}


def _line(row: Any, others: int, now: datetime) -> dict[str, Any]:
    """The timeline entry for a finished notification that shared its message with ``others``."""
    failed = row.state is DeliveryState.FAILED
    kind = EventKind.NOTIFICATION_FAILED if failed else EventKind.NOTIFICATION_SENT
    # Channels are known by their names; a person may have several contacts.
    person = row.display_name
    to = f"{person} by {word_of(row.method)}" if person else row.name or row.target
    noun = _NOUNS.get(row.kind, "Message")
    text = f"{noun} to {to} failed" if failed else f"{noun} delivered to {to}"
    if others:
        text += f", in one message with {others} other{'s' if others > 1 else ''}"
    text += f": {row.last_error}" if failed else ""
    data = {"notification_id": row.id, "state": str(row.state), "bundle": row.bundle}
    return make_event(row.alert_id, kind, text, now, data=data)


def recipient_of(row: Notification) -> str:
    return row.user.display_name if row.user else row.channel.name if row.channel else row.target
