"""An alert's values as its page shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from incidentrelay.domain.enums import EventKind
from incidentrelay.models import Alert, Event, Notification, Signal
from incidentrelay.services.alerts.upcoming import PlannedStep
from incidentrelay.services.delivery import failed as failed_notifications
from incidentrelay.services.recipients.contact_methods import find_contact
from incidentrelay.web.console.components import alert_card, delivery_wording
from incidentrelay.web.console.components.alert_card import AlertCard
from incidentrelay.web.console.toolkit import filters

_LOOKS: Mapping[EventKind, tuple[str, str]] = {
    EventKind.CREATED: ("flame", "danger"),
    EventKind.SIGNAL_JOINED: ("plus", "info"),
    EventKind.SEVERITY_RAISED: ("chevrons-up", "warning"),
    EventKind.SEVERITY_LOWERED: ("check", "muted"),
    EventKind.SIGNAL_RESOLVED: ("check", "success"),
    EventKind.REFIRE_HELD: ("hourglass", "muted"),
    EventKind.SOURCE_NOTE: ("file-text", "muted"),
    EventKind.REOPENED: ("refresh", "danger"),
    EventKind.ACKNOWLEDGED: ("user-check", "info"),
    EventKind.UNACKNOWLEDGED: ("user-off", "warning"),
    EventKind.RESOLVED: ("circle-check", "success"),
    EventKind.SNOOZED: ("zzz", "muted"),
    EventKind.SNOOZE_ENDED: ("bell", "warning"),
    EventKind.SILENCED: ("bell-off", "muted"),
    EventKind.SILENCE_ENDED: ("bell", "warning"),
    EventKind.ACK_TIMED_OUT: ("hourglass", "warning"),
    EventKind.ASSIGNED: ("user", "info"),
    EventKind.RESPONDER_LEFT: ("user-off", "warning"),
    EventKind.COMMENTED: ("message-circle", "muted"),
    EventKind.PAGED: ("bell-ringing", "info"),
    EventKind.REMINDED: ("repeat", "info"),
    EventKind.ESCALATED: ("stairs-up", "warning"),
    EventKind.STEP_SKIPPED: ("chevron-right", "muted"),
    EventKind.STEP_WAITS: ("hourglass", "warning"),
    EventKind.NOBODY_ON_CALL: ("user-off", "danger"),
    EventKind.FALLBACK_NOTIFIED: ("shield", "warning"),
    EventKind.ESCALATION_EXHAUSTED: ("alert-octagon", "danger"),
    EventKind.NOTIFICATION_SENT: ("send", "success"),
    EventKind.NOTIFICATION_FAILED: ("circle-x", "danger"),
    EventKind.NOTIFICATION_STALLED: ("alert-triangle", "warning"),
    EventKind.NOTIFICATION_RESENT: ("refresh", "info"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView(AlertCard):
    """One alert, for alerts/_live.jinja2."""

    resolved_at: datetime | None
    description: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    source_link: str | None
    runbook_link: str | None
    route_name: str
    rotation_name: str | None
    acknowledged_by: str | None


@dataclass(frozen=True, slots=True)
class SignalRow:
    """One signal; ``labels`` are those that distinguish it from the others."""

    title: str
    severity: str
    status: str
    link: str | None
    labels: Mapping[str, str]
    at: datetime


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """One line of the timeline. ``actor`` is None if the text names them."""

    at: datetime
    kind: str
    text: str
    actor: str | None
    icon: str
    tone: str


@dataclass(frozen=True, slots=True)
class NotificationView:
    kind: str
    target: str
    method: str
    state: str
    words: str
    note: str
    attempts: int
    last_error: str
    at: datetime | None
    resend_url: str | None = None


def view_alert(alert: Alert, signals: int, rotation_name: str | None) -> AlertView:
    return AlertView(
        **alert_card.card_values(alert, signals),
        resolved_at=alert.resolved_at,
        description=alert.description,
        labels=alert.labels,
        annotations=alert.annotations,
        source_link=alert.source_link,
        runbook_link=alert.annotations.get("runbook_url"),
        route_name=alert.route.name if alert.route else "A deleted route",
        rotation_name=rotation_name,
        acknowledged_by=alert.acknowledged_by.display_name if alert.acknowledged_by else None,
    )


def view_signal(signal: Signal, alert: Alert) -> SignalRow:
    own = {name: text for name, text in signal.labels.items() if alert.labels.get(name) != text}
    return SignalRow(
        title=signal.title,
        severity=signal.severity,
        status=signal.status,
        link=signal.link,
        labels=own,
        at=signal.resolved_at or signal.starts_at,
    )


def view_event(event: Event) -> TimelineLine:
    icon, tone = _LOOKS.get(event.kind, ("info-circle", "muted"))
    is_comment = event.kind is EventKind.COMMENTED
    actor = event.actor.display_name if is_comment and event.actor else None
    text = event.text or event.kind.replace("_", " ").capitalize()
    if event.via == "link":
        text = f"{text} (by the link in a message)"
    return TimelineLine(event.at, event.kind, text, actor, icon, tone)


def view_notification(row: Notification, resend_url: str | None = None) -> NotificationView:
    """``resend_url`` is set if it failed and the reader may send it again."""
    return NotificationView(
        kind=row.kind,
        target=failed_notifications.recipient_name(row),
        method=find_contact(row.method, row.contact.label if row.contact else ""),
        state=row.state,
        words=delivery_wording.state(row),
        note=delivery_wording.note(row),
        attempts=row.attempts,
        last_error=row.last_error,
        at=row.finished_at or row.created_at,
        resend_url=resend_url,
    )


def view_steps(steps: Sequence[PlannedStep], now: datetime) -> list[PlannedStep]:
    """The steps, each with the time until then: "In 4 min: remind Anna"."""
    return [PlannedStep(step.at, f"{_when(step.at, now)}: {step.text}") for step in steps]


def _when(at: datetime, now: datetime) -> str:
    return f"In {filters.duration(at - now)}" if at > now else "Now"
