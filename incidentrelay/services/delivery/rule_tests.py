"""Tests of a person's notification rules: real messages through the real channels."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from incidentrelay.channels.kinds import INTERNAL
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import (
    AlertStatus,
    NotificationKind,
    Severity,
    Urgency,
)
from incidentrelay.domain.errors import Conflict
from incidentrelay.domain.messages import Message
from incidentrelay.models import Notification, User
from incidentrelay.services.common import audit
from incidentrelay.services.outbox import personal as personal_messages
from incidentrelay.services.outbox import queue as outbox_queue
from incidentrelay.services.recipients import directory as directories
from incidentrelay.services.recipients.directory import Recipient

PAUSE = timedelta(seconds=30)
SHORTENED = 60
_SEVERITY = {Urgency.HIGH: Severity.CRITICAL, Urgency.LOW: Severity.WARNING}
_WORDS = {Urgency.HIGH: "urgent", Urgency.LOW: "other"}


def send_rule_test(
    session: Session, user: User, urgency: Urgency, *, actor: Actor, now: datetime
) -> Sequence[Notification]:
    """Notify the person as a page of that urgency would, with seconds for minutes of delay.

    Raises Conflict if only the inbox would be notified, and within PAUSE of another test:
    their messages would get mixed up.
    """
    session.execute(select(User.id).where(User.id == user.id).with_for_update(key_share=True))
    newest = _newest(session, user.id)
    if newest is not None and newest > now - PAUSE:
        raise Conflict(f"Wait {PAUSE.seconds} seconds between two tests.")
    people = directories.load_directory(session, (), (), now=now, user_ids=[user.id])
    recipients = [
        each for each in people.about(_SEVERITY[urgency]).person(user.id) if _goes_out(each)
    ]
    if not recipients:
        raise Conflict("There is nothing to test: add a contact and confirm it first.")
    stem = f"rules-{user.id}-{urgency}-{now:%Y%m%d%H%M%S%f}"
    body = _body(user, urgency, now).to_json()
    rows = [
        personal_messages.personal_row(
            each,
            f"{stem}-{place}",
            NotificationKind.TEST,
            body,
            due=now + timedelta(seconds=each.delay / SHORTENED),
            now=now,
        )
        for place, each in enumerate(recipients)
    ]
    outbox_queue.write_rows(session, rows)
    audit.record_change(session, actor, "test_rules", user, now=now)
    return latest_rule_test(session, user.id)


def latest_rule_test(session: Session, user_id: int) -> Sequence[Notification]:
    """The messages of the newest test, in the order in which they are due."""
    query = (
        select(Notification)
        .where(*_tests(user_id), Notification.created_at == _newest(session, user_id))
        .options(joinedload(Notification.contact))
        .order_by(Notification.id)
    )
    return session.scalars(query).all()


def _goes_out(recipient: Recipient) -> bool:
    return recipient.method not in INTERNAL


def _tests(user_id: int) -> tuple[Any, ...]:
    return (Notification.user_id == user_id, Notification.kind == NotificationKind.TEST)


def _newest(session: Session, user_id: int) -> datetime | None:
    return session.scalar(select(func.max(Notification.created_at)).where(*_tests(user_id)))


def _body(user: User, urgency: Urgency, now: datetime) -> Message:
    return Message(
        kind=NotificationKind.TEST,
        headline="Test",
        title=f"Test of your rules for {_WORDS[urgency]} alerts",
        severity=_SEVERITY[urgency],
        status=AlertStatus.FIRING,
        team="",
        description=(
            f"{user.display_name}, you asked for this test. There is no alert."
            " A page would use the same methods; a test waits a second for each minute."
        ),
        started_at=now.isoformat(),
    )
