"""Heartbeats of the parts of the system."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from incidentrelay.models.meta import Base


class Heartbeat(Base):
    """The last heartbeat of a worker, or of a machine that compares its clock.

    ``clock_offset`` is how many seconds the machine's clock is ahead of the database's; None if
    that is not measured.
    """

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime]
    clock_offset: Mapped[float | None]
