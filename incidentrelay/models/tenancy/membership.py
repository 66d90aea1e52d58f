"""Memberships of groups and teams, with their roles."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from incidentrelay.domain.enums import GroupRole, TeamRole
from incidentrelay.models.meta import Base, EnumText
from incidentrelay.models.mixins import Versioned
from incidentrelay.models.people.user import User
from incidentrelay.models.tenancy.group import Group, Team


class GroupMember(Versioned, Base):
    __tablename__ = "group_members"
    __table_args__ = (
        Index("uq_group_members_group_id_user_id", "group_id", "user_id", unique=True),
    )

    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    role: Mapped[GroupRole] = mapped_column(EnumText(GroupRole))

    user: Mapped[User] = relationship(lazy="raise_on_sql")
    group: Mapped[Group] = relationship(lazy="raise_on_sql")


class TeamMember(Versioned, Base):
    """A role in one team; the user must be a member of its group."""

    __tablename__ = "team_members"
    __table_args__ = (Index("uq_team_members_team_id_user_id", "team_id", "user_id", unique=True),)

    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    role: Mapped[TeamRole] = mapped_column(EnumText(TeamRole))

    user: Mapped[User] = relationship(lazy="raise_on_sql")
    team: Mapped[Team] = relationship(lazy="raise_on_sql")
