"""Silences."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from incidentrelay.models.meta import Base, NullableJSON
from incidentrelay.models.mixins import Versioned
from incidentrelay.models.people.user import User
from incidentrelay.models.tenancy.group import Team


class Silence(Versioned, Base):
    """Matching signals of the team do not page in [starts_at, ends_at).

    With a ``recurrence`` (rule, zone, starts_on, start_time, duration in seconds), this
    interval runs from the first window to the last, and only the windows are quiet.
    ``next_change_at`` is when the next window starts or ends.
    """

    __tablename__ = "silences"
    __table_args__ = (
        Index("ix_silences_team_id_ends_at", "team_id", "ends_at"),
        Index(
            "ix_silences_next_change_at",
            "next_change_at",
            sqlite_where=text("next_change_at IS NOT NULL"),
            postgresql_where=text("next_change_at IS NOT NULL"),
        ),
    )

    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"))
    matchers: Mapped[list[str]]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    recurrence: Mapped[dict[str, Any] | None] = mapped_column(NullableJSON)
    next_change_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    team: Mapped[Team] = relationship(lazy="raise_on_sql")
    created_by: Mapped[User | None] = relationship(lazy="raise_on_sql")
