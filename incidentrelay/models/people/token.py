"""Personal API tokens."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from incidentrelay.models.meta import Base
from incidentrelay.models.mixins import Versioned


class ApiToken(Versioned, Base):
    """A personal token. ``group_id`` limits it to one group."""

    __tablename__ = "api_tokens"
    __table_args__ = (Index("uq_api_tokens_digest", "digest", unique=True),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    hint: Mapped[str] = mapped_column(String(16))
    scopes: Mapped[list[str]]
    group_id: Mapped[int | None] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
