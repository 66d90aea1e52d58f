"""Which notifications share one message, and which of them are still sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session, joinedload

from incidentrelay import db
from incidentrelay.channels.kinds import INTERNAL
from incidentrelay.domain.delivery import bundles, rate_limit
from incidentrelay.domain.delivery.bundles import WaitingNotification
from incidentrelay.domain.delivery.rate_limit import RateLimit
from incidentrelay.domain.enums import AlertStatus, DeliveryState
from incidentrelay.models import Notification
from incidentrelay.services.common.secret_box import SecretBox
from incidentrelay.services.outbox.records import ALARMS, PendingMessage, is_due
from incidentrelay.services.people import verification
from incidentrelay.services.recipients import state as recipient_state

# At most this many of one recipient are loaded; a message takes at most MOST_IN_ONE.
_MOST_WAITING = 5 * rate_limit.MOST_IN_ONE

# An attempt without a result may have arrived, so the lease of a dead worker keeps its key.
attempt_key = case(
    (
        Notification.state == DeliveryState.SENDING,
        func.coalesce(Notification.bundle, Notification.uid),
    ),
    else_=Notification.bundle,
)


@dataclass(frozen=True, slots=True)
class AskedNotification:
    """The notification that a worker was asked to send."""

    id: int
    priority: int
    target: str
    method: str
    provider: str
    fence: int
    per_minute: int | None

    @classmethod
    def of(cls, row: Notification) -> Self:
        return cls(
            row.id,
            row.priority,
            row.target,
            row.method,
            row.provider,
            row.fence,
            row.channel.messages_per_minute if row.channel else None,
        )

    @property
    def rate_limit(self) -> RateLimit:
        return RateLimit.per_minute(self.per_minute or rate_limit.DEFAULT_PER_MINUTE)


@dataclass(frozen=True, slots=True)
class Bundle:
    """The notifications of one message; ``key`` None: the only one's own uid.

    ``unsettled``: an earlier attempt under this key may have arrived.
    """

    ids: Sequence[int]
    key: str | None = None
    unsettled: bool = False


def choose_bundle(
    session: Session, asked: AskedNotification, credit: int, now: datetime
) -> Bundle | None:
    """The next message of the asked notification's group; None if another group goes first.

    That one is woken.
    """
    waiting = _load_waiting(session, asked, now)
    mine = next(each for each in waiting if each.id == asked.id)
    chosen = bundles.choose_message(waiting, mine, credit, now)
    first = chosen[0]
    if first.group != mine.group:
        db.hint(session, db.Hint("deliver", first.id))
        return None
    if first.key is not None:
        return Bundle(_ids_under_key(session, asked, first.key, now), first.key, unsettled=True)
    if len(chosen) == 1:
        return Bundle([first.id])
    # The fence makes the key new if the first one is sent again among others.
    uid, fence = session.execute(
        select(Notification.uid, Notification.fence).where(Notification.id == first.id)
    ).one()
    return Bundle([each.id for each in chosen], f"bundle-{uid}-{fence}")


def _load_waiting(
    session: Session, asked: AskedNotification, now: datetime
) -> list[WaitingNotification]:
    """The recipient's due notifications, at most _MOST_WAITING, always with the asked one."""
    query = select(
        Notification.id,
        Notification.kind,
        Notification.priority,
        Notification.created_at,
        attempt_key,
        Notification.alert_id.is_not(None),
    ).where(Notification.target == asked.target, *is_due(now))
    if asked.method in INTERNAL:
        query = query.where(Notification.id == asked.id)
    overdue = Notification.created_at <= now - bundles.MAX_DEFERRAL
    order = (
        (Notification.id == asked.id).desc(),
        case((overdue, -1), else_=Notification.priority),
        Notification.id,
    )
    rows = session.execute(query.order_by(*order).limit(_MOST_WAITING))
    return [WaitingNotification(*row) for row in rows]


def _ids_under_key(
    session: Session, asked: AskedNotification, key: str, now: datetime
) -> Sequence[int]:
    query = select(Notification.id).where(
        Notification.target == asked.target, attempt_key == key, *is_due(now)
    )
    return session.scalars(query).all()


def lease_rows(
    session: Session, bundle: Bundle, now: datetime, until: datetime, worker: str | None
) -> Sequence[Notification]:
    """Lease the rows; if several workers try, one succeeds."""
    leased = session.scalars(
        update(Notification)
        .where(Notification.id.in_(bundle.ids), *is_due(now))
        .values(
            state=DeliveryState.SENDING,
            fence=Notification.fence + 1,
            attempts=Notification.attempts + 1,
            next_at=until,
            rate_limited=False,
            leased_by=worker,
            bundle=bundle.key,
        )
        .returning(Notification.id)
        .execution_options(synchronize_session=False)
    ).all()
    query = (
        select(Notification)
        .where(Notification.id.in_(leased))
        .order_by(Notification.id)
        .options(
            joinedload(Notification.alert),
            joinedload(Notification.channel),
            joinedload(Notification.user),
            joinedload(Notification.contact),
        )
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).all()


def is_needed(row: Notification) -> bool:
    """Whether the alert is still in the state that the notification is about."""
    alert = row.alert
    if alert is None:
        return True
    if row.generation != alert.generation:
        return False
    if row.kind in ALARMS:
        return alert.status is AlertStatus.FIRING and alert.quiet_until is None
    return True


def cancel_row(row: Notification, now: datetime) -> bool:
    row.state, row.next_at, row.finished_at = DeliveryState.CANCELLED, None, now
    return False


def keep_insiders(
    session: Session, asked: AskedNotification, rows: Sequence[Notification], now: datetime
) -> Sequence[Notification]:
    """The rows whose recipient is in their alert's group; the others are sent alone.

    The asked notification was checked before; the others may be of another group.
    """
    if all(row.id == asked.id for row in rows):
        return rows
    outsiders = recipient_state.find_outsiders(session, [row.id for row in rows])
    for row in rows:
        if row.id in outsiders:
            _retry_alone(row, now)
            db.hint(session, db.Hint("deliver", row.id))
    return [row for row in rows if row.id not in outsiders]


def read_messages(
    rows: Sequence[Notification], vault: SecretBox, now: datetime
) -> list[tuple[Notification, PendingMessage]]:
    """The rows with their messages; an unreadable row of a bundle is retried on its own."""
    readable = []
    for row in rows:
        try:
            message = verification.open_code(row, vault)
        except (KeyError, TypeError, ValueError):
            if len(rows) == 1:
                raise
            _retry_alone(row, now)
        else:
            tries = row.attempts - row.probes
            pending = PendingMessage(
                row.id, row.fence, row.alert_id, message, attempt=row.attempts, tries=tries
            )
            readable.append((row, pending))
    return readable


def _retry_alone(row: Notification, now: datetime) -> None:
    """Take the row out of its bundle; its uid as the key keeps it from joining another."""
    row.state, row.next_at, row.bundle = DeliveryState.RETRY, now, row.uid
