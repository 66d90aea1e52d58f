"""The lines of an alert's timeline, as rows to insert."""

from datetime import datetime
from typing import Any

from incidentrelay.domain.actors import SYSTEM
from incidentrelay.domain.enums import EventKind


def make_event(
    alert_id: int,
    kind: EventKind,
    text: str,
    now: datetime,
    *,
    via: str = SYSTEM.via,
    actor_id: int | None = None,
    data: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A row of the timeline."""
    return {
        "alert_id": alert_id,
        "at": now,
        "kind": kind,
        "actor_id": actor_id,
        "via": via,
        "text": text,
        "data": data or {},
    }
