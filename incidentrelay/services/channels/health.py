"""The health of channels: their last success, and failures since then."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import DeliveryState
from incidentrelay.models import Channel, Notification
from incidentrelay.models.delivery.notification import IS_FAILED

_ARRIVED = Notification.state.in_((DeliveryState.SENT, DeliveryState.DELIVERED))


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """``failing_since`` is the first failure after the last success; None: it works."""

    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    last_failure_reason: str = ""
    failing_since: datetime | None = None


def channel_health(session: Session, channel_ids: Collection[int]) -> dict[int, ChannelHealth]:
    """The health of these channels, in one statement that reads few rows of each."""
    if not channel_ids:
        return {}
    last_success = _one(Notification.id, _ARRIVED)
    query = select(
        Channel.id,
        _one(Notification.finished_at, _ARRIVED).label("last_success_at"),
        _one(Notification.finished_at, IS_FAILED).label("last_failure_at"),
        _one(Notification.last_error, IS_FAILED).label("last_failure_reason"),
        _one(Notification.finished_at, IS_FAILED, after=last_success).label("failing_since"),
    ).where(Channel.id.in_(channel_ids))
    return {row.id: _health(row) for row in session.execute(query)}


def _health(row: Any) -> ChannelHealth:
    return ChannelHealth(
        row.last_success_at, row.last_failure_at, row.last_failure_reason or "", row.failing_since
    )


def _one(
    column: Any, condition: Any, *, after: ScalarSelect[Any] | None = None
) -> ScalarSelect[Any]:
    """A column of the channel's newest notification that meets ``condition``.

    With ``after`` (an id, or NULL): of the oldest one after that.
    """
    query = (
        select(column)
        .where(Notification.channel_id == Channel.id, condition)
        .correlate(Channel)
        .limit(1)
    )
    if after is None:
        return query.order_by(Notification.id.desc()).scalar_subquery()
    newer = Notification.id > func.coalesce(after, 0)
    return query.where(newer).order_by(Notification.id).scalar_subquery()
