"""The outbox: queueing notifications, and cancelling them.

Rows are written in the transaction of the event that causes them; sending is
:mod:`incidentrelay.services.outbox.records`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import Session

from incidentrelay import db
from incidentrelay.channels.kinds import INTERNAL
from incidentrelay.domain.enums import AlertStatus, DeliveryState, NotificationKind, Severity
from incidentrelay.domain.messages import Message, SignalLine
from incidentrelay.models import Notification, Team
from incidentrelay.services.recipients.directory import Recipient
from incidentrelay.services.recipients.insiders import is_insider

WAITING = (DeliveryState.PENDING, DeliveryState.RETRY)
_REACHED = (DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.DELIVERED)
_FIRST_HAND = (
    NotificationKind.PAGE,
    NotificationKind.ESCALATION,
    NotificationKind.REMINDER,
    NotificationKind.FALLBACK,
)
MAX_LABELS = 12


@dataclass(frozen=True, slots=True)
class AlertSubject:
    """An alert as messages and plans need it, whether or not it is a loaded row.

    ``labels`` are those that its signals have in common. ``signals`` are the worst of its
    ``signal_count`` signals. ``signal_labels`` are the labels of each firing signal; plans
    need them if the team has silences. ``acknowledged_*`` describe the current acknowledgement.
    """

    id: int
    team_id: int
    team_name: str
    generation: int
    status: AlertStatus
    severity: Severity
    title: str
    description: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    source_link: str | None
    opened_at: datetime
    assignee_id: int | None
    signal_count: int = 1
    signals: tuple[SignalLine, ...] = ()
    signal_labels: Sequence[Mapping[str, str]] = ()
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None


def build_message(
    subject: AlertSubject, kind: NotificationKind, headline: str, assignee: str | None
) -> Message:
    labels = dict(list(subject.labels.items())[:MAX_LABELS])
    return Message(
        kind=kind,
        headline=headline,
        title=subject.title,
        severity=subject.severity,
        status=subject.status,
        team=subject.team_name,
        alert_id=subject.id,
        description=subject.description,
        labels=labels,
        source_link=subject.source_link,
        runbook_link=subject.annotations.get("runbook_url"),
        assignee=assignee,
        started_at=subject.opened_at.isoformat(),
        signal_count=subject.signal_count,
        signals=subject.signals,
        acknowledged_by=subject.acknowledged_by,
        acknowledged_at=subject.acknowledged_at.isoformat() if subject.acknowledged_at else None,
    )


def build_rows(
    subject: AlertSubject,
    recipients: Iterable[Recipient],
    body: Message,
    step: int,
    now: datetime,
) -> list[dict[str, Any]]:
    """The outbox rows that notify each recipient once, at its time."""
    unique = {recipient.target: recipient for recipient in recipients}
    message = body.to_json()
    opened = int(subject.opened_at.timestamp())
    stem = f"a{subject.id}-{opened}-{subject.generation}-{step}-{body.kind}"
    return [
        {
            "uid": f"{stem}-{recipient.target.replace(':', '-')}",
            "alert_id": subject.id,
            "team_id": subject.team_id,
            "generation": subject.generation,
            "step": step,
            "kind": body.kind,
            "target": recipient.target,
            "method": recipient.method,
            "provider": recipient.target if recipient.channel_id else recipient.method,
            "channel_id": recipient.channel_id,
            "user_id": recipient.user_id,
            "contact_id": recipient.contact_id,
            "message": message,
            "state": DeliveryState.PENDING,
            "priority": body.kind.priority,
            "next_at": now + timedelta(seconds=recipient.delay),
            "handle": {},
            "created_at": now,
        }
        for recipient in unique.values()
    ]


def write_rows(session: Session, outbox: Sequence[Mapping[str, Any]]) -> None:
    """Put rows into the outbox and wake a worker for each when it is due."""
    ids = db.reserve_ids(session, Notification, len(outbox))
    rows = [{"id": id, **row} for id, row in zip(ids, outbox, strict=True)]
    db.insert_all(session, Notification, rows)
    if len(rows) > db.MOST_HINTS:
        # Each recipient's first message includes everything that is due by then.
        first = {row["target"]: row for row in reversed(rows)}
        rows = list(first.values())[: db.MOST_HINTS // 2]
        db.hint(session, db.Hint("sweep"))
    for row in rows:
        later = row["next_at"] if row["next_at"] > row["created_at"] else None
        db.hint(session, db.Hint("deliver", row["id"], later))


def cancel_pending(session: Session, alert_ids: Collection[int], now: datetime) -> None:
    """Cancel the notifications of these alerts that are still waiting.

    Notifications being sent are left alone: if one is claimed again, the claim sees the alert's
    new generation.
    """
    if alert_ids:
        session.execute(
            update(Notification)
            .where(Notification.alert_id.in_(alert_ids), Notification.state.in_(WAITING))
            .values(state=DeliveryState.CANCELLED, finished_at=now, next_at=None)
            .execution_options(synchronize_session=False)
        )


def notify_update(
    session: Session,
    updates: Mapping[int, tuple[AlertSubject, str]],
    now: datetime,
    *,
    exclude: int | None = None,
) -> None:
    """Notify the earlier recipients of alerts of a change.

    ``updates`` maps the alert's id to it and to the headline; ``exclude`` is the user who made
    it and needs no message. People who have left the alert's group get nothing. The inbox shows
    the current alert anyway, so it gets no message.
    """
    if not updates:
        return
    outbox: list[dict[str, Any]] = []
    for alert_id, target, method, user_id, channel_id, contact_id in session.execute(
        _notified(updates)
    ):
        if alert_id is None or (user_id is not None and user_id == exclude):
            continue
        subject, headline = updates[alert_id]
        body = build_message(subject, NotificationKind.UPDATE, headline, None)
        if contact_id is not None:
            # However many rules led to a contact method, it gets the update once.
            target = f"user:{user_id}:{method}:{contact_id}"
        recipient = Recipient(target, method, "", user_id, channel_id, contact_id)
        outbox += build_rows(subject, [recipient], body, 0, now)
    write_rows(session, list({row["uid"]: row for row in outbox}.values()))


def _notified(
    alert_ids: Collection[int],
) -> Select[int | None, str, str, int | None, int | None, int | None]:
    """The addresses that got a notification of these alerts, without inboxes."""
    return (
        select(
            Notification.alert_id,
            Notification.target,
            Notification.method,
            Notification.user_id,
            Notification.channel_id,
            Notification.contact_id,
        )
        .join(Team, Team.id == Notification.team_id)
        .where(
            Notification.alert_id.in_(alert_ids),
            or_(Notification.user_id.is_(None), is_insider(Notification.user_id, Team.group_id)),
            Notification.kind.in_(_FIRST_HAND),
            Notification.state.in_(_REACHED),
            Notification.method.not_in(INTERNAL),
        )
        .distinct()
    )
