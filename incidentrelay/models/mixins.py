"""Columns shared by several tables."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from incidentrelay.models.meta import BigId


class Identified:
    """A row with an integer id."""

    id: Mapped[int] = mapped_column(BigId, primary_key=True)


class Timestamps:
    """When the row was created and last changed; services set both."""

    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Versioned(Identified, Timestamps):
    """A resource that users edit.

    ``version`` counts the edits; SQLAlchemy refuses to overwrite a row whose version
    changed since it was read (optimistic locking).
    """

    version: Mapped[int] = mapped_column(default=1)

    @classmethod
    def __init_subclass__(cls, **kw: object) -> None:
        if "__tablename__" in cls.__dict__:
            cls.__mapper_args__ = {"version_id_col": cls.version}  # type: ignore[attr-defined]
        super().__init_subclass__(**kw)


class Named:
    """``slug`` is the name in URLs and never changes; ``name`` is the display name."""

    slug: Mapped[str] = mapped_column(String(63))
    name: Mapped[str] = mapped_column(String(120))
