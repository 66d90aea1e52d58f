"""Groups (tenants) and teams."""

from typing import Any

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from incidentrelay.models.meta import Base, NullableJSON
from incidentrelay.models.mixins import Named, Versioned


class Group(Versioned, Named, Base):
    """A tenant: everything below it is invisible to others."""

    __tablename__ = "groups"
    __table_args__ = (Index("uq_groups_slug", "slug", unique=True),)

    description: Mapped[str] = mapped_column(Text, default="")
    active: Mapped[bool] = mapped_column(default=True)


class Team(Versioned, Named, Base):
    """Owns rotations, routes, channels, policies, silences and alerts.

    ``escalation_after_reminders`` is the number of reminders to one person before the next
    member is paged. ``ack_timeout`` is in seconds (None: acknowledgements never expire).
    ``ack_covers`` is in seconds: signals that join an alert later than that after its
    acknowledgement page again. ``fallback_*`` is notified when nobody else can be.
    ``unreachable`` lists references to people whom no page reaches, as last found by
    services/operations/unreachable; None: there are none.
    """

    __tablename__ = "teams"
    __table_args__ = (Index("uq_teams_group_id_slug", "group_id", "slug", unique=True),)

    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"))
    description: Mapped[str] = mapped_column(Text, default="")
    active: Mapped[bool] = mapped_column(default=True)
    escalation_enabled: Mapped[bool] = mapped_column(default=True)
    escalation_after_reminders: Mapped[int] = mapped_column(default=2)
    ack_timeout: Mapped[int | None]
    ack_covers: Mapped[int] = mapped_column(default=3600)
    fallback_user_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL")
    )
    fallback_channel_id: Mapped[int | None] = mapped_column(
        ForeignKey("channels.id", ondelete="SET NULL", use_alter=True)
    )
    unreachable: Mapped[list[Any] | None] = mapped_column(NullableJSON)

    group: Mapped[Group] = relationship(lazy="raise_on_sql")
