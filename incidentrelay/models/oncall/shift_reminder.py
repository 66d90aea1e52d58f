"""Reminders sent when a shift starts or ends."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from incidentrelay.domain.enums import ShiftEdge
from incidentrelay.models.meta import Base, EnumText
from incidentrelay.models.mixins import Identified


class ShiftReminder(Identified, Base):
    """One per boundary: a shift of ``user_id`` starts or ends ``at`` that instant.

    The unique index keeps several workers from sending it twice. ``notified`` is False
    if the person turned this e-mail off or has no address.
    """

    __tablename__ = "shift_reminders"
    __table_args__ = (
        Index(
            "uq_shift_reminders_rotation_id_user_id_edge_at",
            "rotation_id",
            "user_id",
            "edge",
            "at",
            unique=True,
        ),
        Index("ix_shift_reminders_at", "at"),
    )

    rotation_id: Mapped[int] = mapped_column(ForeignKey("rotations.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    edge: Mapped[ShiftEdge] = mapped_column(EnumText(ShiftEdge))
    at: Mapped[datetime]
    notified: Mapped[bool]
    created_at: Mapped[datetime]
