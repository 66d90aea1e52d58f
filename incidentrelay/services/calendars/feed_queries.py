"""What the page of one's own calendar feeds shows."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from incidentrelay.models import CalendarFeed
from incidentrelay.services.access.visibility import Memberships
from incidentrelay.services.calendars import feeds


def list_own_feeds(session: Session, user_id: int, roles: Memberships) -> Sequence[CalendarFeed]:
    """The person's feeds with what they are about, newest first."""
    query = feeds.feed_rows().where(feeds.find_own_feed(user_id, roles))
    return session.scalars(query.order_by(CalendarFeed.id.desc()).limit(feeds.MAX_FEEDS)).all()
