"""The outbox: notifications, and every attempt to deliver one."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from incidentrelay.domain.enums import DeliveryState, NotificationKind
from incidentrelay.models.alerts.alert import Alert
from incidentrelay.models.channels.channel import Channel
from incidentrelay.models.meta import Base, EnumText
from incidentrelay.models.mixins import Identified
from incidentrelay.models.people.contact import ContactMethod
from incidentrelay.models.people.user import User
from incidentrelay.models.tenancy.group import Team

_DUE = text("state IN ('pending', 'retry', 'sending')")
_FAILED = text("state = 'failed'")
# SQLite uses a partial index only if the query repeats its condition literally, not bound.
IS_UNFINISHED = text("notifications.state IN ('pending', 'retry', 'sending')")
IS_FAILED = text("notifications.state = 'failed'")


class Notification(Identified, Base):
    """One message to one target.

    ``uid`` is the idempotency key that receivers see, the same over all attempts.
    ``target`` is the stable name of the recipient (``channel:3``, ``user:7:email:4``).
    A message that is about a person rather than an alert has no team.
    ``provider`` names the service that delivers it (``channel:3``, ``email``): the number
    in flight per provider is limited, so a slow one does not delay the others.

    ``next_at`` is when it is due while pending or in retry, and when the lease ends while
    sending; ``rate_limited`` is true if the recipient's rate limit set it. ``leased_by`` is the
    worker process that sends it (domain/delivery/leases.py). ``fence`` grows with every claim:
    only the newest claim's result is written. ``attempts`` counts all attempts, and ``probes``
    those of them that went to a provider that was down, which do not bring the notification
    nearer to giving up. ``handle`` is the vendor's id of the posted message.

    ``bundle`` is the idempotency key of a message shared with others. While the outcome of
    an attempt is unknown, it is that attempt's key, shared or not.
    ``stalled_at`` is when others were notified because the provider was down.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        Index(
            "uq_notifications_idempotency",
            "alert_id",
            "generation",
            "step",
            "kind",
            "target",
            unique=True,
        ),
        Index(
            "ix_notifications_due",
            "next_at",
            "priority",
            sqlite_where=_DUE,
            postgresql_where=_DUE,
        ),
        Index(
            "ix_notifications_provider_due",
            "provider",
            "state",
            "next_at",
            sqlite_where=_DUE,
            postgresql_where=_DUE,
        ),
        Index(
            "ix_notifications_target_due",
            "target",
            "kind",
            sqlite_where=_DUE,
            postgresql_where=_DUE,
        ),
        Index("ix_notifications_bundle", "bundle"),
        Index(
            "ix_notifications_failed",
            "team_id",
            "id",
            sqlite_where=_FAILED,
            postgresql_where=_FAILED,
        ),
        Index(
            "ix_notifications_channel_failed",
            "channel_id",
            "id",
            sqlite_where=_FAILED,
            postgresql_where=_FAILED,
        ),
        Index("ix_notifications_finished_at", "finished_at"),
        Index("ix_notifications_user_id_id", "user_id", "id"),
        Index("ix_notifications_channel_id_id", "channel_id", "id"),
    )

    uid: Mapped[str] = mapped_column(String(160), unique=True)
    alert_id: Mapped[int | None] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"))
    team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"))
    generation: Mapped[int]
    step: Mapped[int]
    kind: Mapped[NotificationKind] = mapped_column(EnumText(NotificationKind))
    target: Mapped[str] = mapped_column(String(64))
    method: Mapped[str] = mapped_column(String(32))
    provider: Mapped[str] = mapped_column(String(64))
    channel_id: Mapped[int | None] = mapped_column(ForeignKey("channels.id", ondelete="SET NULL"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    contact_id: Mapped[int | None] = mapped_column(
        ForeignKey("contact_methods.id", ondelete="SET NULL"), index=True
    )
    message: Mapped[dict[str, Any]]
    state: Mapped[DeliveryState] = mapped_column(
        EnumText(DeliveryState), default=DeliveryState.PENDING
    )
    priority: Mapped[int]
    attempts: Mapped[int] = mapped_column(default=0)
    probes: Mapped[int] = mapped_column(default=0, server_default="0")
    next_at: Mapped[datetime | None]
    rate_limited: Mapped[bool] = mapped_column(default=False, server_default=false())
    leased_by: Mapped[str | None] = mapped_column(String(64))
    fence: Mapped[int] = mapped_column(default=0)
    bundle: Mapped[str | None] = mapped_column(String(170))
    stalled_at: Mapped[datetime | None]
    handle: Mapped[dict[str, Any]]
    last_error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    alert: Mapped[Alert | None] = relationship(lazy="raise_on_sql")
    team: Mapped[Team] = relationship(lazy="raise_on_sql")
    channel: Mapped[Channel | None] = relationship(lazy="raise_on_sql")
    user: Mapped[User | None] = relationship(lazy="raise_on_sql")
    contact: Mapped[ContactMethod | None] = relationship(lazy="raise_on_sql")


class Attempt(Identified, Base):
    """One attempt to deliver a notification."""

    __tablename__ = "attempts"
    __table_args__ = (Index("ix_attempts_started_at", "started_at"),)

    notification_id: Mapped[int] = mapped_column(
        ForeignKey("notifications.id", ondelete="CASCADE"), index=True
    )
    number: Mapped[int]
    started_at: Mapped[datetime]
    duration_ms: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text, default="")
