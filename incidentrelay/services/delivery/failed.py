"""Notifications that failed: finding them, and sending one again by hand."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload

from incidentrelay import db
from incidentrelay.channels.kinds import word_of
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import AlertStatus, DeliveryState, EventKind
from incidentrelay.domain.errors import Conflict
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Alert, Channel, Event, Group, Notification, Team
from incidentrelay.models.delivery.notification import IS_FAILED
from incidentrelay.services.access.visibility import Memberships, scope
from incidentrelay.services.alerts import actions as alert_actions
from incidentrelay.services.common.timeline import make_event
from incidentrelay.services.outbox.records import ALARMS
from incidentrelay.services.recipients import state as recipient_state

PAGE_SIZE = 50
RESEND_LIMIT = 50
# Failures of alerts that have moved on since are not listed.
_STILL_MATTERS = (
    Notification.generation == Alert.generation,
    Alert.status != AlertStatus.RESOLVED,
)


def apply_failed_filter(statement: Select[Any], wanted: Mapping[str, Any]) -> Select[Any]:
    """``statement`` over Notification with the given filters; absent ones do not count.

    ``state``, ``kind``, ``method``, ``alert`` (its number), and ``group``, ``team`` and
    ``channel`` (slugs).
    """
    columns: Mapping[str, Any] = {
        "state": Notification.state,
        "kind": Notification.kind,
        "method": Notification.method,
        "alert": Notification.alert_id,
    }
    for name, column in columns.items():
        if name in wanted:
            statement = statement.where(column == wanted[name])
    if "team" in wanted:
        statement = statement.where(Notification.team.has(Team.slug == wanted["team"]))
    if "group" in wanted:
        of_group = Team.group.has(Group.slug == wanted["group"])
        statement = statement.where(Notification.team.has(of_group))
    if "channel" in wanted:
        statement = statement.where(Notification.channel.has(Channel.slug == wanted["channel"]))
    return statement


def count_open_failures(session: Session, memberships: Memberships) -> int:
    """How many failures still matter: their alerts are open and unchanged since."""
    query = (
        select(func.count())
        .select_from(Notification)
        .join(Alert, Alert.id == Notification.alert_id)
        .where(IS_FAILED, *_STILL_MATTERS)
    )
    return session.scalar(scope(query, Notification, memberships, Permission.VIEW)) or 0


def list_failed(
    session: Session,
    memberships: Memberships,
    *,
    all_of_them: bool = False,
    before: int | None = None,
) -> tuple[list[Notification], int | None]:
    """A page of failed notifications about alerts, newest first, and the next ``before``.

    Without ``all_of_them`` only those that still matter.
    """
    query = (
        select(Notification)
        .join(Alert, Alert.id == Notification.alert_id)
        .where(IS_FAILED)
        .options(
            joinedload(Notification.alert),
            joinedload(Notification.team).joinedload(Team.group),
            joinedload(Notification.user),
            joinedload(Notification.channel),
        )
        # A sum, because SQLite would read all notifications to have them in order.
        .order_by((Notification.id + 0).desc())
    )
    if not all_of_them:
        query = query.where(*_STILL_MATTERS)
    if before is not None:
        query = query.where(Notification.id < before)
    query = scope(query, Notification, memberships, Permission.VIEW)
    rows = list(session.scalars(query.limit(PAGE_SIZE + 1)))
    return rows[:PAGE_SIZE], rows[PAGE_SIZE - 1].id if len(rows) > PAGE_SIZE else None


def resend_refusal(row: Notification) -> str | None:
    """Why sending the notification again makes no sense; None if it can be sent.

    The row has its alert, user and channel loaded.
    """
    alert = row.alert
    if row.state is not DeliveryState.FAILED:
        return f"It is {row.state}; only failed notifications can be sent again."
    if alert is None:
        return "This message is not about an alert; send a new test of the channel instead."
    if alert.status is AlertStatus.RESOLVED:
        return "The alert is resolved; nobody needs to be notified."
    if row.kind in ALARMS and alert.status is AlertStatus.ACKNOWLEDGED:
        return "The alert is acknowledged; nobody needs to be paged."
    if row.kind in ALARMS and alert.quiet_until is not None:
        return "The alert is quiet now; it pages again when that ends."
    if row.generation != alert.generation:
        return "The alert has moved on since then; escalate it to page somebody now."
    return recipient_state.why_gone(row)


def resend_notification(
    session: Session, notification: Notification, *, actor: Actor, now: datetime
) -> Notification:
    """Queue a failed notification again, with its full number of attempts.

    Raises Conflict, which says why, if it is not needed or cannot arrive. Calling this
    twice sends it once: after the first call it is no longer failed.
    """
    row = _locked(session, notification)
    if row.alert is not None:
        alert_actions.lock_alert(session, row.alert)
    refusal = resend_refusal(row) or recipient_state.why_outside(session, row)
    if refusal is not None:
        raise Conflict(refusal)
    # Due at once, even for a worker whose clock is behind.
    row.state, row.next_at, row.finished_at = DeliveryState.PENDING, row.created_at, None
    row.attempts, row.probes, row.last_error = 0, 0, ""
    # A late result of the old attempts must not count as one of the new.
    row.fence += 1
    # It starts over: unbundled and not stalled.
    row.bundle = row.stalled_at = None
    assert row.alert_id is not None, "resend_refusal refuses the others"
    text = f"{actor.name} sends it again: {recipient_name(row)} by {word_of(row.method)}"
    line = make_event(
        row.alert_id,
        EventKind.NOTIFICATION_RESENT,
        text,
        now,
        via=actor.via,
        actor_id=actor.user_id,
        data={"notification_id": row.id},
    )
    db.insert_all(session, Event, [line])
    db.hint(session, db.Hint("deliver", row.id))
    return row


def list_channel_failures(session: Session, channel: Channel) -> list[Notification]:
    """The channel's failures that still matter and can be sent again, at most RESEND_LIMIT."""
    query = (
        select(Notification)
        .join(Alert, Alert.id == Notification.alert_id)
        .where(IS_FAILED, Notification.channel_id == channel.id, *_STILL_MATTERS)
        .options(
            joinedload(Notification.alert),
            joinedload(Notification.user),
            joinedload(Notification.channel),
        )
        .order_by(Notification.id.desc())
        .limit(RESEND_LIMIT)
    )
    return [row for row in session.scalars(query) if resend_refusal(row) is None]


def resend_channel_failures(
    session: Session, channel: Channel, *, actor: Actor, now: datetime
) -> int:
    """Send the channel's failures again; returns how many. One that is refused stays."""
    sent = 0
    for row in list_channel_failures(session, channel):
        try:
            resend_notification(session, row, actor=actor, now=now)
        except Conflict:
            continue
        sent += 1
    return sent


def _locked(session: Session, notification: Notification) -> Notification:
    """The row as it is now. Notifications are locked before alerts, here as elsewhere."""
    query = (
        select(Notification)
        .where(Notification.id == notification.id)
        .options(
            joinedload(Notification.alert),
            joinedload(Notification.user),
            joinedload(Notification.channel),
        )
        .with_for_update(of=Notification)
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).one()


def recipient_name(row: Notification) -> str:
    """The recipient's name for people."""
    if row.user is not None:
        return row.user.display_name
    return row.channel.name if row.channel else "somebody who was deleted"
