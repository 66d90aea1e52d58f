"""People who can sign in."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from incidentrelay.models.meta import Base
from incidentrelay.models.mixins import Versioned


class User(Versioned, Base):
    """A person who can sign in. ``username`` is lower case and never changes.

    ``shift_*_reminder``: whether to send an e-mail when a shift starts or ends.
    ``credentials_changed_at`` is when the password or ``active`` last changed; action
    links signed before that are void.
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
    credentials_changed_at: Mapped[datetime | None]
