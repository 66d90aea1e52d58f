"""Rotations: their revisions, layers and overrides.

An edit of the schedule adds a revision with its own layers and leaves older ones
unchanged, so history never changes.
"""

from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, String, Text, Time
from sqlalchemy.orm import Mapped, mapped_column, relationship

from incidentrelay.domain.enums import ShiftUnit
from incidentrelay.models.meta import Base, EnumText
from incidentrelay.models.mixins import Identified, Named, Versioned
from incidentrelay.models.people.user import User
from incidentrelay.models.tenancy.group import Team


class Rotation(Versioned, Named, Base):
    """``reminder_interval`` is in seconds; 0 means no reminders.

    ``schedule_changes`` counts the changes to who is on call (see
    services/oncall/versions.py); ``schedule_changed_at`` is the time of the last one.
    ``covered``: whether somebody is on call until ``next_boundary_at`` (None: unknown).
    """

    __tablename__ = "rotations"
    __table_args__ = (Index("uq_rotations_team_id_slug", "team_id", "slug", unique=True),)

    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
    description: Mapped[str] = mapped_column(Text, default="")
    enabled: Mapped[bool] = mapped_column(default=True)
    reminder_interval: Mapped[int] = mapped_column(default=300)
    schedule_changes: Mapped[int] = mapped_column(default=0, server_default="0")
    schedule_changed_at: Mapped[datetime | None]
    covered: Mapped[bool | None]
    next_boundary_at: Mapped[datetime | None]

    team: Mapped[Team] = relationship(lazy="raise_on_sql")


class RotationRevision(Identified, Base):
    """The layers in effect from ``effective_from`` on (None: always)."""

    __tablename__ = "rotation_revisions"
    __table_args__ = (
        Index("ix_rotation_revisions_rotation_id_effective_from", "rotation_id", "effective_from"),
    )

    rotation_id: Mapped[int] = mapped_column(ForeignKey("rotations.id", ondelete="CASCADE"))
    effective_from: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    layers: Mapped[list["RotationLayer"]] = relationship(
        lazy="raise_on_sql", order_by="RotationLayer.position", cascade="all, delete-orphan"
    )


class RotationLayer(Identified, Base):
    """One layer of one revision; a higher ``position`` wins.

    ``key`` identifies a layer across the revisions of its rotation. ``members`` are user
    ids in the order of their turns. ``windows`` are restrictions:
    ``[{"weekday": 0, "opens": "09:00", "closes": "17:00"}]``.
    """

    __tablename__ = "rotation_layers"

    revision_id: Mapped[int] = mapped_column(
        ForeignKey("rotation_revisions.id", ondelete="CASCADE"), index=True
    )
    position: Mapped[int]
    key: Mapped[int]
    name: Mapped[str] = mapped_column(String(120))
    members: Mapped[list[int]]
    unit: Mapped[ShiftUnit] = mapped_column(EnumText(ShiftUnit))
    length: Mapped[int]
    handoff_time: Mapped[time] = mapped_column(Time)
    handoff_weekday: Mapped[int]
    zone: Mapped[str] = mapped_column(String(64))
    start_date: Mapped[date] = mapped_column(Date)
    windows: Mapped[list[Any]]
    turn_offset: Mapped[int] = mapped_column(default=0)


class RotationOverride(Versioned, Base):
    """``user`` is on call in [starts_at, ends_at) instead of the scheduled person.

    ``import_key`` identifies the calendar event it was imported from.
    """

    __tablename__ = "rotation_overrides"
    __table_args__ = (
        Index("ix_rotation_overrides_rotation_id_ends_at", "rotation_id", "ends_at"),
        Index(
            "uq_rotation_overrides_rotation_id_import_key",
            "rotation_id",
            "import_key",
            unique=True,
        ),
    )

    rotation_id: Mapped[int] = mapped_column(ForeignKey("rotations.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(Text, default="")
    import_key: Mapped[str | None] = mapped_column(String(64))
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    user: Mapped[User] = relationship(lazy="raise_on_sql", foreign_keys=[user_id])
    rotation: Mapped[Rotation] = relationship(lazy="raise_on_sql")
