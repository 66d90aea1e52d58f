"""People, their memberships, browser sessions and personal tokens."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from incidentrelay.domain.enums import GroupRole, TeamRole, Urgency
from incidentrelay.models.group import Group, Team
from incidentrelay.models.meta import Base, Choice
from incidentrelay.models.mixins import Identified, Versioned


class User(Versioned, Base):
    """Somebody who can sign in. ``username`` is lower case and never changes.

    The two ``…_notice`` say whether mails tell of the beginning and the end of shifts.
    """

    __tablename__ = "users"
    __table_args__ = (Index("uq_users_username", "username", unique=True),)

    username: Mapped[str] = mapped_column(String(63))
    display_name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str | None] = mapped_column(String(254))
    phone: Mapped[str | None] = mapped_column(String(20))
    zone: Mapped[str] = mapped_column(String(64), default="UTC")
    active: Mapped[bool] = mapped_column(default=True)
    is_admin: Mapped[bool] = mapped_column(default=False)
    shift_start_notice: Mapped[bool] = mapped_column(default=True)
    shift_end_notice: Mapped[bool] = mapped_column(default=False)
    password_hash: Mapped[str | None]


class ContactMethod(Versioned, Base):
    """One way to a person: a ``kind`` of channel and an ``address`` there.

    Only a confirmed one gets pages. ``code_hash`` is that of the code that confirms
    it, while one is under way.
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
    """``delay`` seconds after a page of that urgency its owner is told by this contact."""

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
    urgency: Mapped[Urgency] = mapped_column(Choice(Urgency))
    delay: Mapped[int]


class GroupMember(Versioned, Base):
    __tablename__ = "group_members"
    __table_args__ = (
        Index("uq_group_members_group_id_user_id", "group_id", "user_id", unique=True),
    )

    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    role: Mapped[GroupRole] = mapped_column(Choice(GroupRole))

    user: Mapped[User] = relationship(lazy="raise_on_sql")
    group: Mapped[Group] = relationship(lazy="raise_on_sql")


class TeamMember(Versioned, Base):
    """A role in one team, of somebody who is a member of its group."""

    __tablename__ = "team_members"
    __table_args__ = (Index("uq_team_members_team_id_user_id", "team_id", "user_id", unique=True),)

    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    role: Mapped[TeamRole] = mapped_column(Choice(TeamRole))

    user: Mapped[User] = relationship(lazy="raise_on_sql")
    team: Mapped[Team] = relationship(lazy="raise_on_sql")


class WebSession(Identified, Base):
    """A browser that signed in. Only the hash of its cookie is kept."""

    __tablename__ = "web_sessions"
    __table_args__ = (Index("uq_web_sessions_digest", "digest", unique=True),)

    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    address: Mapped[str] = mapped_column(String(64), default="")
    user_agent: Mapped[str] = mapped_column(String(255), default="")


class ApiToken(Versioned, Base):
    """A personal token. ``group_id`` binds it to one group's part of the tree."""

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


class LoginFailure(Identified, Base):
    """Failed sign-ins, counted by name and by address to slow guessing down."""

    __tablename__ = "login_failures"
    __table_args__ = (Index("ix_login_failures_subject_at", "subject", "at"),)

    subject: Mapped[str] = mapped_column(String(160))
    at: Mapped[datetime]
