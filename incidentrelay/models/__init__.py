"""The tables. Importing this package maps every class.

The law of this package: classes hold columns, indexes and relationships, no
behaviour. Relationships never load by themselves (``raise_on_sql``): a query says
what it needs.
"""

from sqlalchemy.orm import configure_mappers

from incidentrelay.models.absence import Absence
from incidentrelay.models.alert import Alert, Event, IntakeRequest, Signal
from incidentrelay.models.audit import AuditEntry, Heartbeat
from incidentrelay.models.feed import CalendarFeed
from incidentrelay.models.group import Group, Team
from incidentrelay.models.lane import Lane, TargetPace
from incidentrelay.models.meta import Base
from incidentrelay.models.notification import Attempt, Notification
from incidentrelay.models.rotation import (
    Rotation,
    RotationLayer,
    RotationOverride,
    RotationRevision,
)
from incidentrelay.models.route import Channel, Policy, Route, RouteChannel, Silence
from incidentrelay.models.shift_notice import ShiftNotice
from incidentrelay.models.user import (
    ApiToken,
    ContactMethod,
    GroupMember,
    LoginFailure,
    NotificationRule,
    TeamMember,
    User,
    WebSession,
)

configure_mappers()

__all__ = [
    "Absence",
    "Alert",
    "ApiToken",
    "Attempt",
    "AuditEntry",
    "Base",
    "CalendarFeed",
    "Channel",
    "ContactMethod",
    "Event",
    "Group",
    "GroupMember",
    "Heartbeat",
    "IntakeRequest",
    "Lane",
    "LoginFailure",
    "Notification",
    "NotificationRule",
    "Policy",
    "Rotation",
    "RotationLayer",
    "RotationOverride",
    "RotationRevision",
    "Route",
    "RouteChannel",
    "ShiftNotice",
    "Signal",
    "Silence",
    "TargetPace",
    "Team",
    "TeamMember",
    "User",
    "WebSession",
]
