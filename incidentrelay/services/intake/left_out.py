"""Notes on the timeline that a source left alerts out (``truncatedAlerts``)."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import EventKind
from incidentrelay.domain.intake.state import IntakeBatch
from incidentrelay.models import Event


def note_left_out(session: Session, batch: IntakeBatch, count: int) -> None:
    """Add a line to each alert of the request, unless the alert has the same line already.

    Sources repeat themselves; a request that is cut short would fill the timelines.
    """
    if not count:
        return
    text = word_omission(count)
    ids = [alert.id for alert in batch.alerts.values() if alert.id is not None]
    query = select(Event.alert_id).where(
        Event.alert_id.in_(ids), Event.kind == EventKind.SOURCE_NOTE, Event.text == text
    )
    ids_with_line = set(session.scalars(query))
    for alert in batch.alerts.values():
        if alert.id not in ids_with_line:
            batch.note(alert, EventKind.SOURCE_NOTE, text, left_out=count)


def word_omission(count: int) -> str:
    if not count:
        return ""
    return (
        f"The source left {count} more {'alert' if count == 1 else 'alerts'} out of this request."
    )
