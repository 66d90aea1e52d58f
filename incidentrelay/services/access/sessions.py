"""A person's signed-in browsers."""

from datetime import datetime

from sqlalchemy.orm import Session

from incidentrelay.domain.actors import Actor
from incidentrelay.models import WebSession
from incidentrelay.services.common import audit, resources


def delete(session: Session, row: WebSession, *, actor: Actor, now: datetime) -> None:
    """Sign the browser out."""
    resources.remove_row(session, row, conflict="This session is still in use.")
    audit.record_change(session, actor, "sign_out", row, now=now)
