"""Calendar feeds: secret URLs from which calendar programs read shifts."""

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from incidentrelay.models.meta import Base
from incidentrelay.models.mixins import Versioned
from incidentrelay.models.oncall.rotation import Rotation
from incidentrelay.models.people.user import User
from incidentrelay.models.tenancy.group import Team


class CalendarFeed(Versioned, Base):
    """A feed of a rotation, of a team or, without both, of all shifts of ``user``.

    Only the hash of the token in its URL is stored.
    """

    __tablename__ = "calendar_feeds"
    __table_args__ = (Index("uq_calendar_feeds_digest", "digest", unique=True),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    team_id: Mapped[int | None] = mapped_column(
        ForeignKey("teams.id", ondelete="CASCADE"), index=True
    )
    rotation_id: Mapped[int | None] = mapped_column(
        ForeignKey("rotations.id", ondelete="CASCADE"), index=True
    )
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    hint: Mapped[str] = mapped_column(String(16))

    user: Mapped[User] = relationship(lazy="raise_on_sql")
    team: Mapped[Team | None] = relationship(lazy="raise_on_sql")
    rotation: Mapped[Rotation | None] = relationship(lazy="raise_on_sql")
