"""Escalation policies."""

from typing import Any

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from incidentrelay.models.meta import Base, NullableJSON
from incidentrelay.models.mixins import Named, Versioned
from incidentrelay.models.tenancy.group import Team


class Policy(Versioned, Named, Base):
    """An escalation policy.

    ``steps``: ``[{"delay": seconds, "targets": [{"kind", "id"}], "notify_assignee_again",
    "conditions"}]``, see :class:`incidentrelay.domain.escalation.conditions.Conditions`.
    After the first round, ``repeat`` more follow. ``double_duty`` sums up who is paged by
    two steps at once, as services/escalation/double_duty found it last; None: nobody is.
    """

    __tablename__ = "policies"
    __table_args__ = (Index("uq_policies_team_id_slug", "team_id", "slug", unique=True),)

    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
    description: Mapped[str] = mapped_column(Text, default="")
    steps: Mapped[list[Any]]
    repeat: Mapped[int] = mapped_column(default=0)
    double_duty: Mapped[dict[str, Any] | None] = mapped_column(NullableJSON)

    team: Mapped[Team] = relationship(lazy="raise_on_sql")
