"""People who can sign in."""

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from incidentrelay.models.meta import Base
from incidentrelay.models.mixins import Versioned


class User(Versioned, Base):
    """Somebody who can sign in. ``username`` is lower case and never changes.

    The two ``…_notice`` say whether mails tell of the beginning and the end of shifts.
    """

    __tablename__ = "users"
    __table_args__ = (Index("uq_users_username", "username", unique=True),)

    username: Mapped[str] = mapped_column(String(63))
    display_name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str | None] = mapped_column(String(254))
    phone: Mapped[str | None] = mapped_column(String(20))
    zone: Mapped[str] = mapped_column(String(64), default="UTC")
    active: Mapped[bool] = mapped_column(default=True)
    is_admin: Mapped[bool] = mapped_column(default=False)
    shift_start_reminder: Mapped[bool] = mapped_column(default=True)
    shift_end_reminder: Mapped[bool] = mapped_column(default=False)
    password_hash: Mapped[str | None]
