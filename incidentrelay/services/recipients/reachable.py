"""Who a page reaches outside IncidentRelay itself."""

from collections.abc import Collection

from sqlalchemy.orm import Session

from incidentrelay.channels.kinds import INTERNAL
from incidentrelay.services.recipients import contact_methods
from incidentrelay.services.recipients.directory import Directory


def find_reachable(session: Session, user_ids: Collection[int]) -> frozenset[int]:
    """The users that an urgent page reaches by more than their inbox."""
    users, methods = contact_methods.load_contact_methods(session, user_ids)
    directory = Directory(users=users, ways=methods)
    return frozenset(
        user_id
        for user_id in users
        if any(recipient.method not in INTERNAL for recipient in directory.person(user_id))
    )
