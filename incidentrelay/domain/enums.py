"""Enumerations shared by code, API and docs."""

from enum import StrEnum


class AlertStatus(StrEnum):
    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class SignalStatus(StrEnum):
    FIRING = "firing"
    RESOLVED = "resolved"


class Severity(StrEnum):
    """Most severe first; compare by :attr:`rank` (higher is more severe)."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    WARNING = "warning"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        return _SEVERITY_RANK[self]


_SEVERITY_RANK = {severity: rank for rank, severity in enumerate(reversed(Severity))}


class Urgency(StrEnum):
    """Selects a person's notification rules; see domain/escalation/notification_rules.py."""

    HIGH = "high"
    LOW = "low"


class Outcome(StrEnum):
    """What intake did with one item of a request."""

    CREATED = "created"
    UPDATED = "updated"
    DUPLICATE = "duplicate"
    REOPENED = "reopened"
    RESOLVED = "resolved"
    IGNORED = "ignored"
    REJECTED = "rejected"


class EventKind(StrEnum):
    """One line of an alert's timeline."""

    CREATED = "created"
    SIGNAL_JOINED = "signal_joined"
    SEVERITY_RAISED = "severity_raised"
    SEVERITY_LOWERED = "severity_lowered"
    SIGNAL_RESOLVED = "signal_resolved"
    REFIRE_HELD = "refire_held"
    SOURCE_NOTE = "source_note"
    REOPENED = "reopened"
    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    RESOLVED = "resolved"
    SNOOZED = "snoozed"
    SNOOZE_ENDED = "snooze_ended"
    SILENCED = "silenced"
    SILENCE_ENDED = "silence_ended"
    ACK_TIMED_OUT = "ack_timed_out"
    ASSIGNED = "assigned"
    RESPONDER_LEFT = "responder_left"
    COMMENTED = "commented"
    PAGED = "paged"
    REMINDED = "reminded"
    ESCALATED = "escalated"
    STEP_SKIPPED = "step_skipped"
    STEP_WAITS = "step_waits"
    NOBODY_ON_CALL = "nobody_on_call"
    FALLBACK_NOTIFIED = "fallback_notified"
    ESCALATION_EXHAUSTED = "escalation_exhausted"
    NOTIFICATION_SENT = "notification_sent"
    NOTIFICATION_FAILED = "notification_failed"
    NOTIFICATION_STALLED = "notification_stalled"
    NOTIFICATION_RESENT = "notification_resent"


class DeliveryState(StrEnum):
    """The life of one notification.

    pending → sending → sent → delivered, or: retry (sent again later), failed (final),
    cancelled (no longer needed).
    """

    PENDING = "pending"
    SENDING = "sending"
    RETRY = "retry"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"


class NotificationKind(StrEnum):
    """Why a notification is sent."""

    PAGE = "page"
    ESCALATION = "escalation"
    FALLBACK = "fallback"
    ASSIGNMENT = "assignment"
    REMINDER = "reminder"
    UPDATE = "update"
    TEST = "test"
    VERIFICATION = "verification"
    SHIFT = "shift"

    @property
    def priority(self) -> int:
        """0 is sent first."""
        return _KIND_PRIORITY[self]


_KIND_PRIORITY = {
    NotificationKind.PAGE: 0,
    NotificationKind.ESCALATION: 0,
    NotificationKind.FALLBACK: 0,
    NotificationKind.ASSIGNMENT: 0,
    NotificationKind.TEST: 1,
    NotificationKind.VERIFICATION: 1,
    NotificationKind.REMINDER: 2,
    NotificationKind.UPDATE: 3,
    NotificationKind.SHIFT: 3,
}


class TargetKind(StrEnum):
    """Whom a step of an escalation plan notifies."""

    ON_CALL = "rotation"
    NEXT_MEMBER = "next_member"
    ASSIGNEE = "assignee"
    USER = "user"
    TEAM = "team"
    CHANNEL = "channel"


class GroupRole(StrEnum):
    VIEWER = "viewer"
    RESPONDER = "responder"
    EDITOR = "editor"
    OWNER = "owner"


class TeamRole(StrEnum):
    RESPONDER = "responder"
    MANAGER = "manager"


class ShiftEdge(StrEnum):
    """The end of a shift that a reminder is about."""

    START = "start"
    END = "end"


class ShiftUnit(StrEnum):
    HOURS = "hours"
    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"
