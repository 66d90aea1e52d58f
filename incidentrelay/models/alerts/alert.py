"""Alerts, which people act on, and signals, which sources send."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from incidentrelay.domain.enums import AlertStatus, Severity, SignalStatus
from incidentrelay.models.intake.route import Route
from incidentrelay.models.meta import Base, EnumText, NullableJSON
from incidentrelay.models.mixins import Identified
from incidentrelay.models.people.user import User
from incidentrelay.models.tenancy.group import Team

_OPEN = text("status <> 'resolved'")
_CURRENT = text("current")
# SQLite uses a partial index only if the query repeats its condition literally.
IS_CURRENT = text("signals.current")


class Alert(Identified, Base):
    """One problem that people act on.

    ``generation`` grows when pending effects become void (acknowledged, resolved, snoozed,
    reopened); effects of older generations are never sent. ``plan`` is a snapshot of the
    escalation plan, ``progress`` how far it has run, ``wake_at`` when it runs next.
    ``quiet_reason`` (snooze | silence) is why a firing alert is quiet, and ``quiet_until`` when
    that ends.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        Index(
            "uq_alerts_open_route_id_group_key",
            "route_id",
            "group_key",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_alerts_route_id_group_key_resolved_at", "route_id", "group_key", "resolved_at"),
        Index("ix_alerts_team_id_status_id", "team_id", "status", "id"),
        Index("ix_alerts_team_id_last_seen_at_id", "team_id", "last_seen_at", "id"),
        Index("ix_alerts_status_id", "status", "id"),
        Index("ix_alerts_status_resolved_at", "status", "resolved_at"),
        Index(
            "ix_alerts_wake_at",
            "wake_at",
            sqlite_where=text("wake_at IS NOT NULL"),
            postgresql_where=text("wake_at IS NOT NULL"),
        ),
    )

    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
    route_id: Mapped[int | None] = mapped_column(ForeignKey("routes.id", ondelete="SET NULL"))
    group_key: Mapped[str]
    status: Mapped[AlertStatus] = mapped_column(EnumText(AlertStatus))
    severity: Mapped[Severity] = mapped_column(EnumText(Severity))
    title: Mapped[str]
    description: Mapped[str] = mapped_column(Text, default="")
    labels: Mapped[dict[str, str]]
    annotations: Mapped[dict[str, str]]
    source_link: Mapped[str | None] = mapped_column(Text)
    generation: Mapped[int] = mapped_column(default=1)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    opened_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL")
    )
    resolved_at: Mapped[datetime | None]
    plan: Mapped[dict[str, Any]]
    progress: Mapped[dict[str, Any]]
    wake_at: Mapped[datetime | None]
    quiet_until: Mapped[datetime | None]
    quiet_reason: Mapped[str | None] = mapped_column(String(16))

    team: Mapped[Team] = relationship(lazy="raise_on_sql")
    route: Mapped[Route | None] = relationship(lazy="raise_on_sql")
    assignee: Mapped[User | None] = relationship(lazy="raise_on_sql", foreign_keys=[assignee_id])
    acknowledged_by: Mapped[User | None] = relationship(
        lazy="raise_on_sql", foreign_keys=[acknowledged_by_id]
    )


class Signal(Identified, Base):
    """One problem as its source sees it.

    ``current`` is true for the newest row of a dedup key on its route. If the problem
    returns as a new alert, the old row stays with the old alert.
    ``starts_at`` and ``ends_at`` are the source's times, or times of receipt where it gave
    none; ``start_from_source`` and ``end_from_source`` tell them apart. ``resolved_at`` is
    when the resolve was received, or a person resolved the alert. ``refire`` is a late
    firing item, which counts from ``refire_at`` unless a resolve drops it before.
    """

    __tablename__ = "signals"
    __table_args__ = (
        Index(
            "uq_signals_current_route_id_dedup_key",
            "route_id",
            "dedup_key",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
        Index(
            "ix_signals_refire_at",
            "refire_at",
            sqlite_where=text("refire_at IS NOT NULL"),
            postgresql_where=text("refire_at IS NOT NULL"),
        ),
    )

    route_id: Mapped[int | None] = mapped_column(ForeignKey("routes.id", ondelete="SET NULL"))
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"), index=True)
    dedup_key: Mapped[str]
    current: Mapped[bool] = mapped_column(default=True)
    status: Mapped[SignalStatus] = mapped_column(EnumText(SignalStatus))
    severity: Mapped[Severity] = mapped_column(EnumText(Severity))
    title: Mapped[str]
    description: Mapped[str] = mapped_column(Text, default="")
    labels: Mapped[dict[str, str]]
    annotations: Mapped[dict[str, str]]
    link: Mapped[str | None] = mapped_column(Text)
    starts_at: Mapped[datetime]
    start_from_source: Mapped[bool] = mapped_column(default=False)
    ends_at: Mapped[datetime | None]
    end_from_source: Mapped[bool] = mapped_column(default=False)
    resolved_at: Mapped[datetime | None]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    count: Mapped[int] = mapped_column(default=1)
    refire: Mapped[dict[str, Any] | None] = mapped_column(NullableJSON)
    refire_at: Mapped[datetime | None]
