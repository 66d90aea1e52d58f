"""Whether those whom a notification should tell are still there."""

from incidentrelay.domain.enums import NotificationKind
from incidentrelay.models import Notification


def is_gone(row: Notification) -> str | None:
    """Why nobody can be told by it any more; None: somebody can.

    The row has its user and channel loaded.
    """
    kind, *names = row.target.split(":")
    if kind == "channel":
        return _channel_gone(row)
    if row.user is None:
        return "Whoever should be told was deleted."
    if not row.user.active:
        return f"{row.user.display_name} is not active any more."
    # user:7:email:4 names a contact; its row forgets it when it is deleted.
    if len(names) > 2 and row.contact_id is None:
        return f"{row.user.display_name} has deleted this contact."
    return None


def _channel_gone(row: Notification) -> str | None:
    if row.channel is None:
        return "Whoever should be told was deleted."
    if row.channel.enabled or row.kind is NotificationKind.TEST:
        return None
    return "The channel is switched off; switch it on first."
