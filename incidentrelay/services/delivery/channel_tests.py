"""Tests of a channel: a real message through the real channel."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

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

MAX_TESTS = 10
CHANNEL_TEST = Notification.kind == NotificationKind.TEST


def send_channel_test(
    session: Session, channel: Channel, *, actor: Actor, now: datetime
) -> Notification:
    """Queue a test message; raises Conflict while the channel is switched off."""
    if not channel.enabled:
        raise Conflict("The channel is switched off; switch it on to test it.")
    row = _test_row(channel, _next_number(session, channel), actor, now)
    outbox_queue.write_rows(session, [row])
    audit.record_change(session, actor, "test", channel, now=now, group_id=channel.team.group_id)
    return latest_channel_test(session, channel)[0]


def _next_number(session: Session, channel: Channel) -> int:
    """The number of the channel's next test.

    Not their count: old tests are pruned, and no number may be used twice.
    """
    newest = session.scalar(
        select(func.max(Notification.step)).where(
            CHANNEL_TEST, Notification.channel_id == channel.id
        )
    )
    return 0 if newest is None else newest + 1


def _test_row(channel: Channel, number: int, actor: Actor, now: datetime) -> dict[str, Any]:
    return {
        "uid": f"test-{channel.uid}-{number}",
        "alert_id": None,
        "team_id": channel.team_id,
        "generation": 0,
        "step": number,
        "kind": NotificationKind.TEST,
        "target": providers.provider_of(channel.id),
        "method": channel.kind,
        "provider": providers.provider_of(channel.id),
        "channel_id": channel.id,
        "user_id": None,
        "message": _test_message(channel, actor, now).to_json(),
        "state": DeliveryState.PENDING,
        "priority": NotificationKind.TEST.priority,
        "next_at": now,
        "handle": {},
        "created_at": now,
    }


def _test_message(channel: Channel, actor: Actor, now: datetime) -> Message:
    return Message(
        kind=NotificationKind.TEST,
        headline="Test",
        title=f"Test of the channel {channel.name}",
        severity=Severity.INFO,
        status=AlertStatus.FIRING,
        team=channel.team.name,
        description=f"{actor.name} sent this to see whether messages arrive here.",
        started_at=now.isoformat(),
    )


def latest_channel_test(session: Session, channel: Channel) -> Sequence[Notification]:
    """The channel's newest tests with their outcomes, newest first."""
    query = (
        select(Notification)
        .where(CHANNEL_TEST, Notification.channel_id == channel.id)
        .order_by(Notification.id.desc())
        .limit(MAX_TESTS)
    )
    return session.scalars(query).all()
