"""A value that changes with the facts that processes remember."""

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from incidentrelay.models.meta import Base


class FactsStamp(Base):
    """One row, see :mod:`incidentrelay.facts_stamp`."""

    __tablename__ = "facts_stamp"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    stamp: Mapped[int] = mapped_column(BigInteger)
