"""Where alerts come in and where they go out: routes, channels, policies, silences."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from incidentrelay.domain.delivery.rate_limit import DEFAULT_PER_MINUTE
from incidentrelay.models.group import Team
from incidentrelay.models.meta import Base, NullableJSON
from incidentrelay.models.mixins import Named, Versioned
from incidentrelay.models.rotation import Rotation
from incidentrelay.models.user import User


class Channel(Versioned, Named, Base):
    """One configuration of one kind of channel.

    ``sealed`` holds the write-only part of the configuration, encrypted and bound
    to ``uid``, which no other row ever had. What is more than
    ``messages_per_minute`` shares messages.
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


class Policy(Versioned, Named, Base):
    """An escalation policy.

    ``steps``: ``[{"delay": seconds, "targets": [{"kind", "id"}], "notify_assignee_again",
    "conditions"}]``, the last as in :class:`incidentrelay.domain.escalation.conditions.Conditions`.
    ``repeat`` further rounds follow the first.
    """

    __tablename__ = "policies"
    __table_args__ = (Index("uq_policies_team_id_slug", "team_id", "slug", unique=True),)

    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
    description: Mapped[str] = mapped_column(Text, default="")
    steps: Mapped[list[Any]]
    repeat: Mapped[int] = mapped_column(default=0)

    team: Mapped[Team] = relationship(lazy="raise_on_sql")


class Route(Versioned, Named, Base):
    """One inbound path: source, token, matchers, grouping, and whom it pages.

    Only the hash of the token is kept; ``token_hint`` is its visible beginning.
    ``reopen_window`` is in seconds, and so is ``auto_resolve_after``: an alert of which
    nothing was heard for so long is resolved (None: it stays open). Personal tokens
    try routes by ``position``.
    """

    __tablename__ = "routes"
    __table_args__ = (
        Index("uq_routes_team_id_slug", "team_id", "slug", unique=True),
        Index("uq_routes_token_digest", "token_digest", unique=True),
    )

    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
    source: Mapped[str] = mapped_column(String(32))
    enabled: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int] = mapped_column(default=0)
    token_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    token_hint: Mapped[str] = mapped_column(String(16))
    matchers: Mapped[list[str]]
    group_by: Mapped[list[str]]
    rotation_id: Mapped[int | None] = mapped_column(ForeignKey("rotations.id"))
    policy_id: Mapped[int | None] = mapped_column(ForeignKey("policies.id"))
    reopen_window: Mapped[int] = mapped_column(default=300)
    auto_resolve_after: Mapped[int | None]

    team: Mapped[Team] = relationship(lazy="raise_on_sql")
    rotation: Mapped[Rotation | None] = relationship(lazy="raise_on_sql")
    policy: Mapped[Policy | None] = relationship(lazy="raise_on_sql")
    channels: Mapped[list[Channel]] = relationship(
        lazy="raise_on_sql", secondary="route_channels", order_by="Channel.id"
    )


class RouteChannel(Base):
    __tablename__ = "route_channels"

    route_id: Mapped[int] = mapped_column(
        ForeignKey("routes.id", ondelete="CASCADE"), primary_key=True
    )
    channel_id: Mapped[int] = mapped_column(
        ForeignKey("channels.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Silence(Versioned, Base):
    """During [starts_at, ends_at) the team's alerts that match are quiet.

    With a ``recurrence`` (rule, zone, starts_on, start_time, duration in seconds) that
    is from the first window to the end of the last, and only its windows are quiet.
    ``next_change_at`` is when a window begins or ends next.
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
