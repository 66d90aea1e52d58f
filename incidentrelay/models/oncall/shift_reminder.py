"""What people were told about the beginning and the end of their shifts."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from incidentrelay.domain.enums import ShiftEdge
from incidentrelay.models.meta import Base, Choice
from incidentrelay.models.mixins import Identified


class ShiftNotice(Identified, Base):
    """``user_id`` began or ended a shift of the rotation ``at`` that instant.

    There is one row for each such edge, whoever looks and however often. ``told``
    False: the person wants no such mail, or has no address.
    """

    __tablename__ = "shift_notices"
    __table_args__ = (
        Index(
            "uq_shift_notices_rotation_id_user_id_edge_at",
            "rotation_id",
            "user_id",
            "edge",
            "at",
            unique=True,
        ),
        Index("ix_shift_notices_at", "at"),
    )

    rotation_id: Mapped[int] = mapped_column(ForeignKey("rotations.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    edge: Mapped[ShiftEdge] = mapped_column(Choice(ShiftEdge))
    at: Mapped[datetime]
    told: Mapped[bool]
    created_at: Mapped[datetime]
