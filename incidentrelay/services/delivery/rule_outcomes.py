"""Brings a person's other notification rules forward after a failure."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from incidentrelay import db
from incidentrelay.channels.kinds import INTERNAL
from incidentrelay.domain.enums import DeliveryState
from incidentrelay.models import Notification

_OVER = (DeliveryState.FAILED, DeliveryState.CANCELLED)


def bring_rules_forward(session: Session, failed: Notification, now: datetime) -> None:
    """One contact method failed: the next one is used at once.

    Unless another method of the same step was or is being tried: then the person may
    know already, and the later ones keep their time. The inbox does not count: it wakes
    nobody. The caller holds the alert's lock.
    """
    if failed.user_id is None:
        return
    others = _others(session, failed)
    if not others or any(_begun(other, now) for other in others):
        return
    due = min(other.next_at for other in others if other.next_at is not None)
    for other in others:
        if other.next_at == due:
            _make_due(session, other.id)


def _of_the_same_page(row: Notification) -> tuple[ColumnElement[bool], ...]:
    return (
        Notification.alert_id == row.alert_id,
        Notification.generation == row.generation,
        Notification.step == row.step,
        Notification.kind == row.kind,
        Notification.user_id == row.user_id,
    )


def _others(session: Session, failed: Notification) -> Sequence[Notification]:
    query = select(Notification).where(
        *_of_the_same_page(failed),
        Notification.id != failed.id,
        Notification.method.not_in(INTERNAL),
        Notification.state.notin_(_OVER),
        Notification.stalled_at.is_(None),
    )
    return session.scalars(query.execution_options(populate_existing=True)).all()


def _begun(row: Notification, now: datetime) -> bool:
    waits = row.state is DeliveryState.PENDING and row.next_at is not None and row.next_at > now
    return not waits


def _make_due(session: Session, notification_id: int) -> None:
    session.execute(
        update(Notification)
        .where(Notification.id == notification_id, Notification.state == DeliveryState.PENDING)
        .values(next_at=Notification.created_at)
        .execution_options(synchronize_session=False)
    )
    db.hint(session, db.Hint("deliver", notification_id))
