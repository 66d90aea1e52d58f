"""Routes, through which alerts arrive."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from incidentrelay.models.channels.channel import Channel
from incidentrelay.models.escalation.policy import Policy
from incidentrelay.models.meta import Base
from incidentrelay.models.mixins import Named, Versioned
from incidentrelay.models.oncall.rotation import Rotation
from incidentrelay.models.tenancy.group import Team


class Route(Versioned, Named, Base):
    """One inbound path: source, token, matchers, grouping, and recipients.

    Only the token's hash is stored; ``token_hint`` is its visible beginning. A replaced
    token (``old_token_digest``) works until ``old_token_until``.
    ``reopen_window`` and ``auto_resolve_after`` are in seconds. Alerts that their source
    has not mentioned for ``auto_resolve_after`` are resolved (None: never). Personal
    tokens try routes in the order of ``position``.
    """

    __tablename__ = "routes"
    __table_args__ = (
        Index("uq_routes_team_id_slug", "team_id", "slug", unique=True),
        Index("uq_routes_token_digest", "token_digest", unique=True),
        Index("uq_routes_old_token_digest", "old_token_digest", unique=True),
    )

    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
    source: Mapped[str] = mapped_column(String(32))
    enabled: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int] = mapped_column(default=0)
    token_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    token_hint: Mapped[str] = mapped_column(String(16))
    old_token_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    old_token_until: Mapped[datetime | None]
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
