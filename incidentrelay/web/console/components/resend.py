"""Sending a failed notification again: the button, or why there is none."""

from collections.abc import Mapping
from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Notification
from incidentrelay.services.delivery import failed as failed_notifications
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.base import Node


def offer_resend(request: Any, node: Node, row: Notification) -> Mapping[str, str | None]:
    """Where to send it again, or why it cannot be sent again."""
    why_not = failed_notifications.resend_refusal(row)
    may = why_not is None and request.has_permission(Permission.RESPOND, node)
    return {
        "resend_url": f"{console_url(request, node)}/resend" if may else None,
        "why_not": why_not,
    }
