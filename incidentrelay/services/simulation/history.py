"""Explains each timeline entry of an alert."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import EventKind
from incidentrelay.models import Alert, Event, Rotation
from incidentrelay.services.simulation import wording as explanation_wording
from incidentrelay.services.simulation.wording import NOTIFIED_KINDS, EventReason, ReasonReader

MOST_EVENTS = 300


def explain_events(session: Session, alert: Alert) -> list[EventReason]:
    """The reasons in order, with times in UTC: the earliest ones, then the newest."""
    lines = select(Event).where(Event.alert_id == alert.id)
    newest = (
        lines.where(Event.kind.in_(NOTIFIED_KINDS)).order_by(Event.id.desc()).limit(MOST_EVENTS)
    )
    events = list(session.scalars(newest))[::-1]
    if len(events) == MOST_EVENTS and events[0].kind is not EventKind.CREATED:
        first = lines.where(Event.kind == EventKind.CREATED).order_by(Event.id).limit(1)
        events = [*session.scalars(first), *events]
    return explanation_wording.word_reasons(events, ReasonReader(rotation_names(session, events)))


def rotation_names(
    session: Session, events: Sequence[Event], other: int | None = None
) -> dict[int, str]:
    """The names, by id, of the rotations in ``events`` plus one more."""
    ids = explanation_wording.rotation_ids(events) | ({other} if other is not None else set())
    query = select(Rotation.id, Rotation.name).where(Rotation.id.in_(ids))
    return dict(session.execute(query).all()) if ids else {}
