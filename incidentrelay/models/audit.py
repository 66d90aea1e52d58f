"""Who changed what."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from incidentrelay.models.meta import Base
from incidentrelay.models.mixins import Identified


class AuditEntry(Identified, Base):
    """``diff`` maps a field to [before, after]; secrets appear as "***"."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_group_id_id", "group_id", "id"),
        Index("ix_audit_entries_at", "at"),
    )

    at: Mapped[datetime]
    group_id: Mapped[int | None] = mapped_column(ForeignKey("groups.id", ondelete="SET NULL"))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    actor: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(String(64))
    subject_kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str]
    diff: Mapped[dict[str, Any]]
    request_id: Mapped[str] = mapped_column(String(64), default="")
