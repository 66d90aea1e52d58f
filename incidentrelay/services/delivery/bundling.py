"""Which notifications share one message, and which of them are still sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import bindparam, case, func, select, update
from sqlalchemy.orm import Session, joinedload

from incidentrelay import db
from incidentrelay.channels.kinds import INTERNAL
from incidentrelay.domain.delivery import bundles, rate_limit
from incidentrelay.domain.delivery.bundles import WaitingNotification
from incidentrelay.domain.delivery.rate_limit import RateLimit
from incidentrelay.domain.enums import DeliveryState
from incidentrelay.models import Alert, Notification, User
from incidentrelay.services.common.secret_box import SecretBox
from incidentrelay.services.outbox.records import IS_DUE, PendingMessage, is_due
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


_WAITING = (
    select(
        Notification.id,
        Notification.kind,
        Notification.priority,
        Notification.created_at,
        attempt_key,
        Notification.alert_id.is_not(None),
    )
    .where(Notification.target == bindparam("target"), *IS_DUE)
    .order_by(
        (Notification.id == bindparam("id")).desc(),
        case(
            (Notification.created_at <= bindparam("overdue"), -1),
            else_=Notification.priority,
        ),
        Notification.id,
    )
    .limit(_MOST_WAITING)
)
_WAITING_ALONE = _WAITING.where(Notification.id == bindparam("id"))
_IDS: Any = bindparam("ids", expanding=True)
_ROWS: Any = Notification.__table__
_LEASE = (
    update(_ROWS)
    .where(_ROWS.c.id.in_(_IDS), *IS_DUE)
    .values(
        state=DeliveryState.SENDING,
        fence=_ROWS.c.fence + 1,
        attempts=_ROWS.c.attempts + 1,
        next_at=bindparam("until", type_=_ROWS.c.next_at.type),
        rate_limited=False,
        leased_by=bindparam("worker", type_=_ROWS.c.leased_by.type),
        bundle=bindparam("key", type_=_ROWS.c.bundle.type),
    )
    .returning(_ROWS.c.id)
)
_LEASED = (
    select(Notification)
    .where(Notification.id.in_(_IDS))
    .order_by(Notification.id)
    .options(
        joinedload(Notification.alert).load_only(
            Alert.generation, Alert.status, Alert.quiet_until, Alert.opened_at
        ),
        joinedload(Notification.channel),
        joinedload(Notification.user).load_only(User.email, User.zone),
        joinedload(Notification.contact),
    )
    .execution_options(populate_existing=True)
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
    """The next message of the asked notification's group.

    None if another group goes first, which is woken, or if another worker claimed the
    notification while this one waited for the provider.
    """
    waiting = _load_waiting(session, asked, now)
    mine = next((each for each in waiting if each.id == asked.id), None)
    if mine is None:
        return None
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
    query = _WAITING_ALONE if asked.method in INTERNAL else _WAITING
    overdue = now - bundles.MAX_DEFERRAL
    wanted = {"id": asked.id, "target": asked.target, "now": now, "overdue": overdue}
    return [WaitingNotification(*row) for row in session.execute(query, wanted)]


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
    lease = {
        "ids": list(bundle.ids),
        "now": now,
        "until": until,
        "worker": worker,
        "key": bundle.key,
    }
    leased = session.connection().execute(_LEASE, lease).scalars().all()
    return session.scalars(_LEASED, {"ids": leased}).all()


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
