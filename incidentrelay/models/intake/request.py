"""Raw intake requests."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from incidentrelay.models.meta import Base
from incidentrelay.models.mixins import Identified

_SOME_REJECTED = text("rejected > 0")
# SQLite uses a partial index only if the query repeats its condition literally, not bound.
HAS_REJECTED = text("intake_requests.rejected > 0")


class IntakeRequest(Identified, Base):
    """One request of a source: its raw body, and the outcome of each item.

    ``rejected`` counts the items with this outcome. ``left_out`` counts the alerts that the
    source says it did not send.
    """

    __tablename__ = "intake_requests"
    __table_args__ = (
        Index("ix_intake_requests_route_id_id", "route_id", "id"),
        Index(
            "ix_intake_requests_rejected",
            "route_id",
            "id",
            sqlite_where=_SOME_REJECTED,
            postgresql_where=_SOME_REJECTED,
        ),
    )

    route_id: Mapped[int | None] = mapped_column(ForeignKey("routes.id", ondelete="CASCADE"))
    received_at: Mapped[datetime] = mapped_column(index=True)
    address: Mapped[str] = mapped_column(String(64), default="")
    body: Mapped[bytes] = mapped_column(LargeBinary)
    truncated: Mapped[bool] = mapped_column(default=False)
    outcomes: Mapped[list[Any]]
    left_out: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0, server_default="0")
