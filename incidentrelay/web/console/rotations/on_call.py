"""Who is on call now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from incidentrelay.domain.permissions import Permission
from incidentrelay.models import User
from incidentrelay.services.oncall import current as on_call_queries
from incidentrelay.services.oncall.current import CurrentShift
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.resources.oncall.on_call import OnCall


@dataclass(frozen=True, slots=True)
class ContactLink:
    label: str
    href: str


@dataclass(frozen=True, slots=True)
class OnCallCard:
    """One rotation; ``person_name`` is None if nobody is on call."""

    url: str
    team_name: str
    rotation_name: str
    person_name: str | None
    contacts: tuple[ContactLink, ...]
    since: datetime | None
    until: datetime | None
    next_name: str | None
    next_at: datetime | None


@console_view(context=OnCall, permission=Permission.VIEW, template="rotations/on_call.jinja2")
def show(_context: OnCall, request: Any) -> dict[str, Any]:
    found = on_call_queries.list_on_call(request.db, request.identity, request.now)
    return {"rows": [_card(request, row) for row in found]}


def _card(request: Any, row: CurrentShift) -> OnCallCard:
    return OnCallCard(
        url=rotation_url(request, row.rotation.id),
        team_name=row.team.name,
        rotation_name=row.rotation.name,
        person_name=row.user.display_name if row.user else None,
        contacts=contact_links(row.user),
        since=row.since,
        until=row.until,
        next_name=row.next_user.display_name if row.next_user else None,
        next_at=row.next_at,
    )


def rotation_url(request: Any, rotation_id: int) -> str:
    """The short URL of a rotation's page, which needs only its id."""
    return f"{request.script_name}/rotations/{rotation_id}"


def contact_links(user: User | None) -> tuple[ContactLink, ...]:
    """Links to reach somebody, phone first; empty for nobody.

    The schemes are fixed here, and nothing in an address can add a header to an e-mail.
    """
    if user is None:
        return ()
    found = [ContactLink(user.phone, f"tel:{quote(user.phone, safe='+')}")] if user.phone else []
    found += (
        [ContactLink(user.email, f"mailto:{quote(user.email, safe='@+')}")] if user.email else []
    )
    return tuple(found)
