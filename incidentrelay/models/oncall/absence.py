"""Periods in which people could not be on call; they keep past shifts unchanged."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from incidentrelay.models.meta import Base
from incidentrelay.models.mixins import Identified


class Absence(Identified, Base):
    """``user_id`` was inactive, or not a member of the group, in [since, until).

    ``group_id`` None means all groups, ``until`` None an absence that has not ended.
    """

    __tablename__ = "absences"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    group_id: Mapped[int | None] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"))
    since: Mapped[datetime]
    until: Mapped[datetime | None]
