"""The timeline of an alert."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from incidentrelay.domain.enums import EventKind
from incidentrelay.models.meta import Base, EnumText
from incidentrelay.models.mixins import Identified
from incidentrelay.models.people.user import User


class Event(Identified, Base):
    """One line of an alert's timeline; append-only.

    ``actor_id`` is None if the system or a source acted. ``via`` is the interface:
    console, api, link, source or system.
    """

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_alert_id_id", "alert_id", "id"),)

    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    kind: Mapped[EventKind] = mapped_column(EnumText(EventKind))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    via: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text, default="")
    data: Mapped[dict[str, Any]]

    actor: Mapped[User | None] = relationship(lazy="raise_on_sql")
