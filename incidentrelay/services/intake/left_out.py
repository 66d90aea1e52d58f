"""Notes on the timeline that a source left alerts out (``truncatedAlerts``)."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import EventKind
from incidentrelay.domain.intake.state import IntakeBatch, ItemResult
from incidentrelay.models import Event


def note_left_out(
    session: Session, batch: IntakeBatch, results: Iterable[ItemResult], count: int
) -> None:
    """Add a line to each alert of the results, unless the alert has the same line already.

    Sources repeat themselves; a request that is cut short would fill the timelines.
    """
    if not count:
        return
    text = word_omission(count)
    alerts = {
        id(result.alert): result.alert
        for result in results
        if result.alert is not None and id(result.alert) in batch.alerts
    }
    ids = [alert.id for alert in alerts.values()]
    query = select(Event.alert_id).where(
        Event.alert_id.in_(ids), Event.kind == EventKind.SOURCE_NOTE, Event.text == text
    )
    ids_with_line = set(session.scalars(query))
    for alert in alerts.values():
        if alert.id not in ids_with_line:
            batch.note(alert, EventKind.SOURCE_NOTE, text, left_out=count)


def word_omission(count: int) -> str:
    if not count:
        return ""
    return (
        f"The source left {count} more {'alert' if count == 1 else 'alerts'} out of this request."
    )
