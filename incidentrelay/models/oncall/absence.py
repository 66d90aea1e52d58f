"""When people could not be on call, so that the past stays as it was."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from incidentrelay.models.meta import Base
from incidentrelay.models.mixins import Identified


class Absence(Identified, Base):
    """``user_id`` was not active, or no member of the group, during [since, until).

    ``group_id`` None: in no group at all. ``until`` None: it lasts.
    """

    __tablename__ = "absences"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    group_id: Mapped[int | None] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"))
    since: Mapped[datetime]
    until: Mapped[datetime | None]
