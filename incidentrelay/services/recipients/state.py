"""Whether the recipient of a notification may still get it, checked when it is sent."""

from collections.abc import Collection

from sqlalchemy import Select, and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from incidentrelay.channels.kinds import INTERNAL
from incidentrelay.domain.enums import NotificationKind
from incidentrelay.models import Alert, Channel, Notification, Team
from incidentrelay.services.recipients.insiders import is_insider


def why_gone(row: Notification) -> str | None:
    """Why the recipient cannot get the notification; None if they can.

    ``row`` has its user and channel loaded.
    """
    return _channel_gone(row) if row.target.startswith("channel:") else _user_gone(row)


def why_outside(session: Session, row: Notification) -> str | None:
    """Like :func:`why_gone`, and whether the recipient is still in the alert's group."""
    if (reason := why_gone(row)) is None and find_outsiders(session, [row.id]):
        return f"{_name(row)} is not in the alert's group."
    return reason


def find_outsiders(session: Session, ids: Collection[int]) -> set[int]:
    """The notifications whose recipient is not in the group of their team.

    Plans keep ids of people and channels that may have left. Messages without a team, such as
    codes, have no outsiders.
    """
    return set(session.scalars(_OUTSIDERS, {"ids": list(ids)}))


def _select_outsiders() -> Select[int]:
    home = aliased(Team)
    own_channel = exists().where(
        Channel.id == Notification.channel_id,
        home.id == Channel.team_id,
        home.group_id == Team.group_id,
    )
    inside = or_(
        and_(Notification.channel_id.is_not(None), own_channel),
        and_(Notification.channel_id.is_(None), is_insider(Notification.user_id, Team.group_id)),
    )
    return (
        select(Notification.id)
        .outerjoin(Alert, Alert.id == Notification.alert_id)
        .join(Team, Team.id == func.coalesce(Alert.team_id, Notification.team_id))
        .where(Notification.id.in_(bindparam("ids", expanding=True)), ~inside)
    )


_OUTSIDERS = _select_outsiders()


def _user_gone(row: Notification) -> str | None:
    _, *names = row.target.split(":")
    if row.user is None:
        return "The recipient was deleted."
    if not row.user.active:
        return f"{row.user.display_name} is not active."
    # user:7:email:4 names a contact method; deleting it empties contact_id.
    if len(names) > 2 and row.contact_id is None:
        return f"{row.user.display_name} deleted this contact method."
    if len(names) == 2 and names[1] not in INTERNAL and not row.user.email:
        return f"{row.user.display_name} has no e-mail address."
    return None


def _channel_gone(row: Notification) -> str | None:
    if row.channel is None:
        return "The channel was deleted."
    if row.channel.enabled or row.kind is NotificationKind.TEST:
        return None
    return "The channel is switched off; switch it on first."


def _name(row: Notification) -> str:
    if row.channel is not None:
        return row.channel.name
    return row.user.display_name if row.user is not None else "The recipient"
