"""Notifications that could not be delivered, and sending them again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Notification
from incidentrelay.services.delivery import failed as failed_notifications
from incidentrelay.services.delivery import outages
from incidentrelay.services.recipients.contact_methods import find_contact
from incidentrelay.web.console.components.resend import offer_resend
from incidentrelay.web.console.forms import forms
from incidentrelay.web.console.toolkit.actions import action_view
from incidentrelay.web.console.toolkit.actors import actor
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.resources.alerts.notifications import NotificationNode, Notifications


@dataclass(frozen=True, slots=True)
class FailedNotificationRow:
    """``resend_url`` is None if the reader may not send it again; ``why_not`` is the reason."""

    at: datetime
    kind: str
    recipient: str
    method: str
    attempts: int
    reason: str
    title: str
    severity: str
    status: str
    team_name: str
    url: str
    resend_url: str | None
    why_not: str | None


@console_view(
    context=Notifications, permission=Permission.VIEW, template="alerts/failed_notifications.jinja2"
)
def index(context: Notifications, request: Any) -> dict[str, Any]:
    everything = request.GET.get("show") == "all"
    before, identity = forms.before(request.GET), request.identity
    found, older = failed_notifications.list_failed(
        request.db, identity, all_of_them=everything, before=before
    )
    down = outages.list_outages(request.db, identity, request.registry["channels"])
    shown = "show=all&" if everything else ""
    return {
        "outages": outages.count_waiting(request.db, identity, down),
        "rows": [_row(context, request, row) for row in found],
        "everything": everything,
        "next_url": f"{request.path}?{shown}before={older}" if older else None,
    }


def _row(context: Notifications, request: Any, row: Notification) -> FailedNotificationRow:
    alert = row.alert
    assert alert is not None, "the list is of notifications about alerts"
    node = context.root.place(row)
    return FailedNotificationRow(
        at=row.finished_at or row.created_at,
        kind=row.kind,
        recipient=failed_notifications.recipient_name(row),
        method=find_contact(row.method),
        attempts=row.attempts,
        reason=row.last_error,
        title=alert.title,
        severity=alert.severity,
        status=alert.status,
        team_name=row.team.name,
        url=f"{request.script_name}/alerts/{alert.id}",
        **offer_resend(request, node, row),
    )


@action_view(NotificationNode, "resend", Permission.RESPOND, back="notifications")
def resend(context: NotificationNode, request: Any) -> str:
    row = failed_notifications.resend_notification(
        request.db, context.obj, actor=actor(request), now=request.now
    )
    recipient = failed_notifications.recipient_name(row)
    return f"Sent to {recipient} again. If that fails too, it is listed here."
