"""Contact methods and notification rules."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from incidentrelay.domain.enums import Urgency
from incidentrelay.models.meta import Base, EnumText
from incidentrelay.models.mixins import Identified, Versioned
from incidentrelay.models.people.user import User


class ContactMethod(Versioned, Base):
    """A ``kind`` of channel and a person's ``address`` there.

    Pages only go to confirmed ones (``verified_at``). ``code_hash`` is the hash of the
    confirmation code that was sent, if any.
    """

    __tablename__ = "contact_methods"
    __table_args__ = (
        Index("uq_contact_methods_user_id_kind_address", "user_id", "kind", "address", unique=True),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32))
    label: Mapped[str] = mapped_column(String(60))
    address: Mapped[str] = mapped_column(String(254))
    verified_at: Mapped[datetime | None]
    code_hash: Mapped[str | None]
    code_expires_at: Mapped[datetime | None]
    code_tries: Mapped[int] = mapped_column(default=0)

    user: Mapped[User] = relationship(lazy="raise_on_sql")


class NotificationRule(Identified, Base):
    """Notify the owner by this contact ``delay`` seconds after a page of that urgency."""

    __tablename__ = "notification_rules"
    __table_args__ = (
        Index(
            "uq_notification_rules_contact_id_urgency_delay",
            "contact_id",
            "urgency",
            "delay",
            unique=True,
        ),
    )

    contact_id: Mapped[int] = mapped_column(ForeignKey("contact_methods.id", ondelete="CASCADE"))
    urgency: Mapped[Urgency] = mapped_column(EnumText(Urgency))
    delay: Mapped[int]
