"""Finds due notifications, and sends one claim.

Claiming and recording (``services.delivery``) are short transactions; in between, the
channel sends outside of any transaction. A claim is a lease: if it expires without a
result, the worker counts as dead and the notification is due again. The fence grows with
each claim, and a result with an older fence is not written. Each provider has a maximum
in flight, so one that hangs does not delay the others.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Integer, bindparam, func, or_, select
from sqlalchemy.orm import Session

from incidentrelay import db
from incidentrelay.channels.base import (
    ChannelKind,
    NotSetUp,
    PermanentFailure,
    SendResult,
    TemporaryFailure,
)
from incidentrelay.domain.delivery.bundles import summarize_bundle
from incidentrelay.domain.enums import AlertStatus, DeliveryState, NotificationKind
from incidentrelay.domain.messages import Envelope, Links, Message, Part
from incidentrelay.models import Notification, Provider
from incidentrelay.models.delivery.notification import IS_UNFINISHED

DUE = (DeliveryState.PENDING, DeliveryState.RETRY, DeliveryState.SENDING)
ARRIVED = (DeliveryState.SENT, DeliveryState.DELIVERED)
MAX_CONCURRENT_PER_PROVIDER = 3
MAX_BATCH_PER_PROVIDER = 20
ALARMS = (
    NotificationKind.PAGE,
    NotificationKind.ESCALATION,
    NotificationKind.REMINDER,
    NotificationKind.FALLBACK,
)


@dataclass(frozen=True, slots=True)
class PendingMessage:
    """One notification of a claim, under the fence of that claim.

    ``attempt`` is this one's number. ``tries`` is the number of attempts that count towards the
    limit; probes of a provider that is down do not.
    """

    id: int
    fence: int
    alert_id: int | None
    message: Message
    attempt: int = 1
    tries: int = 1


# The links in a message about these notifications to this user.
MakeLinks = Callable[[Sequence[PendingMessage], int | None, datetime], Links]


@dataclass(frozen=True, slots=True)
class DeliveryClaim:
    """One attempt of this worker, with all that the channel needs.

    ``messages`` is one notification, or all that share the message, the worst alert first.
    ``uid`` is the message's idempotency key; ``unsettled`` is true if an earlier attempt under
    it may have arrived. A ``probe`` goes to a provider whose circuit is open.
    """

    messages: tuple[PendingMessage, ...]
    attempt: int
    uid: str
    user_id: int | None
    method: str
    provider: str
    config: Mapping[str, Any]
    thread_key: str
    zone: str = "UTC"
    reopened: bool = False
    unsettled: bool = False
    probe: bool = False

    @property
    def ids(self) -> list[int]:
        return [each.id for each in self.messages]


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """How an attempt ended: SENT, DELIVERED, RETRY, FAILED or CANCELLED, and why.

    ``down``: the provider itself failed, so its other messages would fail too. ``refused``: the
    provider refused the message, which counts only after minutes of refusals.
    """

    state: DeliveryState
    reason: str = ""
    handle: Mapping[str, Any] | None = None
    retry_after: timedelta | None = None
    unknown: bool = False
    down: bool = False
    refused: bool = False


def is_due(now: datetime | BindParameter[datetime]) -> tuple[Any, ...]:
    """The conditions of notifications that may be sent now.

    One that was due when it was written is due at once, even for a worker whose clock is
    behind the writer's.
    """
    at_once = (Notification.state == DeliveryState.PENDING) & (
        Notification.next_at <= Notification.created_at
    )
    return IS_UNFINISHED, or_(Notification.next_at <= now, at_once)


# For statements that are built once: building one takes longer than running it.
IS_DUE = is_due(bindparam("now"))
_WAITING = (
    select(Notification.id)
    .where(
        *IS_DUE,
        Notification.provider == bindparam("provider"),
        Notification.state.in_((DeliveryState.PENDING, DeliveryState.RETRY)),
    )
    .order_by(Notification.priority, Notification.id)
    .limit(bindparam("most", type_=Integer))
)


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


def due_notification_ids(session: Session, now: datetime, *, limit: int) -> list[int]:
    """The due notifications, most urgent and oldest first, limited for each provider.

    A thousand messages of one provider must not hide the only one of another.
    Providers whose circuit is open are left out.
    """
    order = (Notification.priority, Notification.id)
    rank = func.row_number().over(partition_by=Notification.provider, order_by=order)
    shut = select(Provider.name).where(Provider.open_until > now)
    ranked = (
        select(Notification.id, Notification.priority, rank.label("rank"))
        .where(*is_due(now), Notification.provider.not_in(shut))
        .subquery()
    )
    query = (
        select(ranked.c.id)
        .where(ranked.c.rank <= MAX_BATCH_PER_PROVIDER)
        .order_by(ranked.c.priority, ranked.c.id)
        .limit(limit)
    )
    return list(session.scalars(query))


def wake_provider(
    session: Session, provider: str, at: datetime, *, most: int = MAX_CONCURRENT_PER_PROVIDER
) -> None:
    """Wake messages that wait for the provider, which accepts them from ``at`` on."""
    waiting = session.scalars(_WAITING, {"now": at, "provider": provider, "most": most})
    for notification_id in waiting:
        db.hint(session, db.Hint("deliver", notification_id, at))


def send_claim(
    claim: DeliveryClaim, channel: ChannelKind | None, links: MakeLinks, now: datetime
) -> DeliveryResult:
    """Send a claim. A failing channel becomes a result, never an exception."""
    if channel is None:
        return DeliveryResult(
            DeliveryState.FAILED, f"There is no channel of the kind {claim.method}."
        )
    try:
        sent: SendResult = channel.send(build_envelope(claim, links, now), claim.config)
    except TemporaryFailure as failure:
        return DeliveryResult(
            DeliveryState.RETRY,
            failure.reason,
            retry_after=failure.retry_after,
            unknown=failure.unknown,
            down=failure.down,
            refused=failure.refused,
        )
    except NotSetUp as failure:
        # A person did not choose this method; the installation merely lacks it.
        state = DeliveryState.FAILED if claim.user_id is None else DeliveryState.CANCELLED
        return DeliveryResult(state, failure.reason)
    except PermanentFailure as failure:
        return DeliveryResult(DeliveryState.FAILED, failure.reason)
    state = DeliveryState.DELIVERED if sent.delivered else DeliveryState.SENT
    return DeliveryResult(state, sent.detail, sent.handle)


def build_envelope(claim: DeliveryClaim, links: MakeLinks, now: datetime) -> Envelope:
    """What the channel sends: the one message, or one that summarizes all of them."""
    parts = tuple(Part(each.message, links([each], claim.user_id, now)) for each in claim.messages)
    alone = len(parts) == 1
    return Envelope(
        message=parts[0].message if alone else summarize_bundle([part.message for part in parts]),
        links=parts[0].links if alone else links(claim.messages, None, now),
        idempotency_key=claim.uid,
        thread_key=claim.thread_key,
        now=now,
        parts=() if alone else parts,
        zone=claim.zone,
        reopened=claim.reopened,
    )
