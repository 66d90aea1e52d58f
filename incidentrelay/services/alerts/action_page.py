"""Opens signed action links: checks that they are still valid and loads their alert."""

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from incidentrelay.domain.errors import NotAllowed
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Alert, Team, User
from incidentrelay.services.access import memberships
from incidentrelay.services.access.action_links import ActLink
from incidentrelay.services.access.visibility import scope

_VOID = "This link is no longer valid. Sign in to see the alert."


def open_action_link(session: Session, link: ActLink) -> tuple[User, Alert]:
    """Loads the person and the alert (with team, assignee, and who acknowledged it).

    Raises NotAllowed if the person is inactive, changed their password or was
    deactivated after the link was signed, or may not respond to the alert now.
    """
    user = session.get(User, link.user_id)
    if user is None or not user.active or _changed_since(user, link):
        raise NotAllowed(_VOID)
    roles = memberships.load_roles(session, user)
    query = (
        select(Alert)
        .where(Alert.id == link.alert_id)
        .options(
            joinedload(Alert.team).joinedload(Team.group),
            joinedload(Alert.assignee),
            joinedload(Alert.acknowledged_by),
        )
    )
    alert = session.scalar(scope(query, Alert, roles, Permission.RESPOND))
    if alert is None:
        raise NotAllowed(_VOID)
    return user, alert


def _changed_since(user: User, link: ActLink) -> bool:
    changed_at = user.credentials_changed_at
    return changed_at is not None and changed_at > link.signed_at
