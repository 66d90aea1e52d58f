"""State of providers (circuit breakers) and recipients (rate limits)."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from incidentrelay.models.meta import Base


class Provider(Base):
    """State of a provider's circuit breaker (domain/delivery/circuit_breaker.py)."""

    __tablename__ = "providers"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    since: Mapped[datetime | None]
    open_until: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")


class RecipientRate(Base):
    """State of a recipient's rate limit (domain/delivery/rate_limit.py)."""

    __tablename__ = "recipient_rates"

    target: Mapped[str] = mapped_column(String(64), primary_key=True)
    busy_until: Mapped[datetime]
