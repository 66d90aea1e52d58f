"""Many alerts at once, and channels that lead outside."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import select, update

from incidentrelay.db import Database
from incidentrelay.domain.enums import DeliveryState
from incidentrelay.models import Channel, Notification
from incidentrelay.services.outbox.records import DUE, DeliveryClaim, DeliveryResult
from tests.support.pager import NOW, Pager, a_signal, build

SENT, FAILED = (
    DeliveryResult(DeliveryState.SENT),
    DeliveryResult(DeliveryState.FAILED, "It is gone."),
)
DOWN = DeliveryResult(DeliveryState.RETRY, "It does not answer.", down=True)
BUSY = DeliveryResult(DeliveryState.RETRY, "This mailbox is busy.")
SECOND = timedelta(seconds=1)


def build_outside(database: Database) -> Pager:
    """The channel is external, so it has a rate limit."""
    pager = build(database)
    with database.write() as session:
        session.execute(update(Channel).values(kind="webhook"))
    return pager


def storm(pager: Pager, count: int, at: datetime = NOW) -> None:
    pager.take(*[a_signal(f"disk{number}") for number in range(count)], at=at)


def of(pager: Pager, method: str) -> list[Notification]:
    with pager.database.read() as session:
        query = select(Notification).where(Notification.method == method)
        return list(session.scalars(query.order_by(Notification.id)))


def claim_all(pager: Pager, method: str, at: datetime = NOW) -> list[DeliveryClaim]:
    """Everything of ``method`` that can be sent right now."""
    return list(_claims(pager, method, at))


def deliver_all(pager: Pager, method: str, at: datetime) -> list[DeliveryClaim]:
    """Like :func:`claim_all`, one after the other, each successful."""
    claims = []
    for taken in _claims(pager, method, at):
        pager.record(taken, SENT, at)
        claims.append(taken)
    return claims


def _claims(pager: Pager, method: str, at: datetime) -> Iterator[DeliveryClaim]:
    tried: set[int] = set()
    while True:
        due = [
            row.id
            for row in of(pager, method)
            if row.id not in tried and row.state in DUE and row.next_at and row.next_at <= at
        ]
        if not due:
            return
        tried.add(due[0])
        taken = pager.claim(due[0], at)
        if taken:
            yield taken
