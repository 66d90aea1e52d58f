"""Channels and their deliveries in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incidentrelay.domain.enums import DeliveryState, NotificationKind
from incidentrelay.models import Notification
from incidentrelay.services.channels.channel_queries import ChannelDelivery, ChannelListing
from incidentrelay.services.common.audit import MASK
from incidentrelay.web.console.channels.config_form import ConfigField
from incidentrelay.web.console.components import delivery_wording

_GOOD = frozenset({DeliveryState.SENT, DeliveryState.DELIVERED})


@dataclass(frozen=True, slots=True)
class ChannelHealthView:
    """``level`` is good, warning, bad or none; ``since`` is when it began."""

    level: str
    head: str
    note: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """``url`` is that of the alert; None for a test."""

    at: datetime
    what: str
    url: str | None
    level: str
    state: str
    answer: str
    note: str
    attempts: int
    resend_url: str | None
    why_not: str | None


def view_health(listed: ChannelListing) -> ChannelHealthView:
    health, circuit = listed.health, listed.circuit
    if not listed.channel.enabled:
        return ChannelHealthView("warning", "Switched off", "Nothing is sent through it.")
    if circuit.is_open:
        return ChannelHealthView("bad", "Down", circuit.reason, circuit.since)
    if health.failing_since is not None:
        return ChannelHealthView(
            "bad", "Messages fail", health.last_failure_reason, health.failing_since
        )
    if health.last_success_at is None:
        return ChannelHealthView("none", "Never used", "Send a test to see that it works.")
    return ChannelHealthView("good", "Messages arrive", "", health.last_success_at)


def view_delivery(
    delivery: ChannelDelivery, prefix: str, offer: Mapping[str, str | None]
) -> DeliveryView:
    row = delivery.notification
    test = row.kind is NotificationKind.TEST
    title = row.alert.title if row.alert else row.message.get("title", "")
    return DeliveryView(
        at=row.finished_at or row.created_at,
        what="Test" if test else f"{row.kind.capitalize()}: {title}",
        url=f"{prefix}/alerts/{row.alert_id}" if row.alert_id else None,
        level=_level(row),
        state=delivery_wording.state(row),
        answer=row.last_error if row.state is DeliveryState.FAILED else delivery.answer,
        note=delivery_wording.note(row),
        attempts=row.attempts,
        resend_url=offer.get("resend_url"),
        why_not=offer.get("why_not"),
    )


def _level(row: Notification) -> str:
    if row.state is DeliveryState.FAILED:
        return "bad"
    if row.state is DeliveryState.RETRY:
        return "warning"
    return "good" if row.state in _GOOD else "none"


def view_config(found: Sequence[ConfigField], public: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(label, value) of each field of the configuration that is set; secrets masked."""
    shown = []
    for each in found:
        value = public.get(each.name)
        if value in (None, "", [], {}):
            continue
        if each.secret:
            shown.append((each.label, MASK))
        elif isinstance(value, list):
            shown.append((each.label, ", ".join(str(one) for one in value)))
        else:
            shown.append((each.label, str(value)))
    return shown
