"""Trying a channel out: a real message by the real way."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import AlertStatus, DeliveryState, NotificationKind, Severity
from incidentrelay.domain.errors import Conflict
from incidentrelay.domain.messages import Message
from incidentrelay.models import Channel, Notification
from incidentrelay.services.channels import providers
from incidentrelay.services.common import audit
from incidentrelay.services.outbox import queue as outbox_queue

MOST = 10
OF_CHANNEL = Notification.kind == NotificationKind.TEST


def send(session: Session, channel: Channel, *, actor: Actor, now: datetime) -> Notification:
    """Owe the channel a test message; raises Conflict while it is switched off."""
    if not channel.enabled:
        raise Conflict("The channel is switched off; switch it on to test it.")
    # Not their count: old ones are forgotten, and no number comes again.
    newest = session.scalar(
        select(func.max(Notification.step)).where(OF_CHANNEL, Notification.channel_id == channel.id)
    )
    number = 0 if newest is None else newest + 1
    body = Message(
        kind=NotificationKind.TEST,
        headline="Test",
        title=f"Test of the channel {channel.name}",
        severity=Severity.INFO,
        status=AlertStatus.FIRING,
        team=channel.team.name,
        description=f"{actor.name} sent this to see whether messages arrive here.",
        started_at=now.isoformat(),
    )
    row = {
        "uid": f"test-{channel.uid}-{number}",
        "alert_id": None,
        "team_id": channel.team_id,
        "generation": 0,
        "step": number,
        "kind": NotificationKind.TEST,
        "target": providers.of_channel(channel.id),
        "method": channel.kind,
        "lane": providers.of_channel(channel.id),
        "channel_id": channel.id,
        "user_id": None,
        "message": body.to_json(),
        "state": DeliveryState.PENDING,
        "priority": NotificationKind.TEST.priority,
        "next_at": now,
        "handle": {},
        "created_at": now,
    }
    outbox_queue.write(session, [row])
    audit.record(session, actor, "test", channel, now=now, group_id=channel.team.group_id)
    return latest(session, channel)[0]


def latest(session: Session, channel: Channel) -> Sequence[Notification]:
    """The channel's newest tests and what became of them, the newest first."""
    query = (
        select(Notification)
        .where(OF_CHANNEL, Notification.channel_id == channel.id)
        .order_by(Notification.id.desc())
        .limit(MOST)
    )
    return session.scalars(query).all()
