"""Heartbeats of the parts of the system."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from incidentrelay.models.meta import Base


class Heartbeat(Base):
    """The last heartbeat of a worker or sweep."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime]
