"""Channels, to which notifications go."""

from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from incidentrelay.domain.delivery.rate_limit import DEFAULT_PER_MINUTE
from incidentrelay.models.meta import Base
from incidentrelay.models.mixins import Named, Versioned
from incidentrelay.models.tenancy.group import Team


class Channel(Versioned, Named, Base):
    """One configuration of one kind of channel.

    ``sealed`` is the write-only part of the configuration, encrypted and bound to ``uid``,
    which is never reused. Above ``messages_per_minute``, notifications are bundled.
    """

    __tablename__ = "channels"
    __table_args__ = (Index("uq_channels_team_id_slug", "team_id", "slug", unique=True),)

    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    enabled: Mapped[bool] = mapped_column(default=True)
    config: Mapped[dict[str, Any]]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    messages_per_minute: Mapped[int] = mapped_column(default=DEFAULT_PER_MINUTE)

    team: Mapped[Team] = relationship(lazy="raise_on_sql", foreign_keys=[team_id])
