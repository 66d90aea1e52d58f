"""Queries for the page of the user's own settings."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.models import ApiToken, WebSession

MAX_ROWS = 100


def list_tokens(session: Session, user_id: int) -> list[ApiToken]:
    """The person's tokens, newest first."""
    query = select(ApiToken).where(ApiToken.user_id == user_id)
    return list(session.scalars(query.order_by(ApiToken.id.desc()).limit(MAX_ROWS)))


def list_sessions(session: Session, user_id: int, *, used_after: datetime) -> list[WebSession]:
    """The person's signed-in browsers, the last used first."""
    query = select(WebSession).where(
        WebSession.user_id == user_id, WebSession.last_seen_at > used_after
    )
    return list(session.scalars(query.order_by(WebSession.last_seen_at.desc()).limit(MAX_ROWS)))
