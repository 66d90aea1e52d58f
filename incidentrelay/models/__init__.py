"""The tables. Importing this package maps every class.

Classes hold columns, indexes and relationships, no behaviour. Relationships never load
lazily (``raise_on_sql``): each query names what it needs.
"""

from sqlalchemy.orm import configure_mappers

from incidentrelay.models.alerts.alert import Alert, Signal
from incidentrelay.models.alerts.event import Event
from incidentrelay.models.alerts.label import AlertLabel
from incidentrelay.models.audit import AuditEntry
from incidentrelay.models.channels.channel import Channel
from incidentrelay.models.channels.provider import Provider, RecipientRate
from incidentrelay.models.delivery.notification import Attempt, Notification
from incidentrelay.models.escalation.policy import Policy
from incidentrelay.models.facts_stamp import FactsStamp
from incidentrelay.models.heartbeat import Heartbeat
from incidentrelay.models.intake.request import IntakeRequest
from incidentrelay.models.intake.route import Route, RouteChannel
from incidentrelay.models.meta import Base
from incidentrelay.models.oncall.absence import Absence
from incidentrelay.models.oncall.feed import CalendarFeed
from incidentrelay.models.oncall.rotation import (
    Rotation,
    RotationLayer,
    RotationOverride,
    RotationRevision,
)
from incidentrelay.models.oncall.shift_reminder import ShiftReminder
from incidentrelay.models.people.contact import ContactMethod, NotificationRule
from incidentrelay.models.people.session import LoginFailure, WebSession
from incidentrelay.models.people.token import ApiToken
from incidentrelay.models.people.user import User
from incidentrelay.models.silences.silence import Silence
from incidentrelay.models.tenancy.group import Group, Team
from incidentrelay.models.tenancy.membership import GroupMember, TeamMember

configure_mappers()

__all__ = [
    "Absence",
    "Alert",
    "AlertLabel",
    "ApiToken",
    "Attempt",
    "AuditEntry",
    "Base",
    "CalendarFeed",
    "Channel",
    "ContactMethod",
    "Event",
    "FactsStamp",
    "Group",
    "GroupMember",
    "Heartbeat",
    "IntakeRequest",
    "LoginFailure",
    "Notification",
    "NotificationRule",
    "Policy",
    "Provider",
    "RecipientRate",
    "Rotation",
    "RotationLayer",
    "RotationOverride",
    "RotationRevision",
    "Route",
    "RouteChannel",
    "ShiftReminder",
    "Signal",
    "Silence",
    "Team",
    "TeamMember",
    "User",
    "WebSession",
]
