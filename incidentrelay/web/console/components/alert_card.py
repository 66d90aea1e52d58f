"""The values that the list and the page of an alert share."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incidentrelay.models import Alert


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCard:
    id: int
    title: str
    severity: str
    status: str
    team_name: str
    group_name: str
    assignee_name: str | None
    opened_at: datetime
    last_seen_at: datetime
    signal_count: int
    quiet_until: datetime | None
    quiet_reason: str | None


def card_values(alert: Alert, signals: int) -> dict[str, Any]:
    """The fields of a card; the alert has its team, group and assignee loaded."""
    return {
        "id": alert.id,
        "title": alert.title,
        "severity": alert.severity,
        "status": alert.status,
        "team_name": alert.team.name,
        "group_name": alert.team.group.name,
        "assignee_name": alert.assignee.display_name if alert.assignee else None,
        "opened_at": alert.opened_at,
        "last_seen_at": alert.last_seen_at,
        "signal_count": signals,
        "quiet_until": alert.quiet_until,
        "quiet_reason": alert.quiet_reason,
    }
