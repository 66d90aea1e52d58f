"""A person's inbox."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyramid.httpexceptions import HTTPForbidden
from pyramid.security import NO_PERMISSION_REQUIRED

from incidentrelay.domain.enums import AlertStatus
from incidentrelay.services.people import inbox
from incidentrelay.services.people.inbox import InboxItem
from incidentrelay.web.console.forms import forms
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.resources.root import Root


@dataclass(frozen=True, slots=True)
class InboxRow:
    """``read``: the alert no longer waits for anybody."""

    at: datetime
    headline: str
    title: str
    severity: str
    status: str
    team_name: str
    url: str
    read: bool


@console_view(
    context=Root, name="inbox", permission=NO_PERMISSION_REQUIRED, template="profile/inbox.jinja2"
)
def show(_context: Root, request: Any) -> dict[str, Any]:
    """Every signed-in user has one; the root's own ACL covers admins only."""
    identity = request.identity
    if identity is None:
        raise HTTPForbidden
    found, older = inbox.list_inbox(
        request.db, identity, identity.user_id, before=forms.before(request.GET)
    )
    return {
        "items": [_row(request, item) for item in found],
        "next_url": f"{request.path}?before={older}" if older else None,
    }


def _row(request: Any, item: InboxItem) -> InboxRow:
    alert = item.alert
    return InboxRow(
        at=item.at,
        headline=item.headline,
        title=alert.title,
        severity=alert.severity,
        status=alert.status,
        team_name=alert.team.name,
        url=f"{request.script_name}/alerts/{alert.id}",
        read=alert.status is not AlertStatus.FIRING,
    )
