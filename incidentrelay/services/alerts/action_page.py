"""Whether a signed link still stands for its person, and the alert it is about."""

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from incidentrelay.domain.errors import NotAllowed
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Alert, AuditEntry, Team, User
from incidentrelay.services.access import memberships
from incidentrelay.services.access.action_links import ActLink
from incidentrelay.services.access.visibility import scope

_VOID = "This link is not valid any more. Sign in to see the alert."
# Changes of an account after which links that were signed before are worth nothing.
_SENSITIVE = frozenset({"password", "active"})


def open_action_link(session: Session, link: ActLink) -> tuple[User, Alert]:
    """The person and the alert (with team, assignee and who acknowledged it).

    Raises NotAllowed where the person is not active, has changed the password or was
    switched off since the link was signed, or may not respond on the alert now.
    """
    user = session.get(User, link.user_id)
    if user is None or not user.active or _changed_since(session, user, link):
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


def _changed_since(session: Session, user: User, link: ActLink) -> bool:
    """The audit log is where it is known when a password was changed."""
    query = select(AuditEntry.action, AuditEntry.diff).where(
        AuditEntry.group_id.is_(None),
        AuditEntry.subject_kind == "user",
        AuditEntry.subject == user.username,
        AuditEntry.action.in_(("update", "change_password")),
        AuditEntry.at > link.signed_at,
    )
    return any(
        action == "change_password" or _SENSITIVE & diff.keys()
        for action, diff in session.execute(query)
    )
