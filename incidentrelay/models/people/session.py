"""Browser sessions, and failed logins."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from incidentrelay.models.meta import Base
from incidentrelay.models.mixins import Identified


class WebSession(Identified, Base):
    """A signed-in browser. Only the hash of its cookie is stored."""

    __tablename__ = "web_sessions"
    __table_args__ = (Index("uq_web_sessions_digest", "digest", unique=True),)

    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    address: Mapped[str] = mapped_column(String(64), default="")
    user_agent: Mapped[str] = mapped_column(String(255), default="")


class LoginFailure(Identified, Base):
    """A failed sign-in, counted by username and by address to slow down guessing."""

    __tablename__ = "login_failures"
    __table_args__ = (Index("ix_login_failures_subject_at", "subject", "at"),)

    subject: Mapped[str] = mapped_column(String(160))
    at: Mapped[datetime]
