"""Routes and their payloads in words."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incidentrelay.domain.enums import Outcome
from incidentrelay.domain.text import shorten
from incidentrelay.models import IntakeRequest, Route
from incidentrelay.services.intake.route_queries import RouteHealth

LONGEST_BODY = 4000
_MOST_ITEMS = 20


@dataclass(frozen=True, slots=True)
class RouteHealthView:
    """``level`` is good, warning, bad or none."""

    level: str
    head: str
    note: str
    last_at: datetime | None
    counts: str


@dataclass(frozen=True, slots=True)
class IntakeItemView:
    """The verdict on one item; ``url`` is None if there is no alert."""

    outcome: str
    reason: str
    url: str | None


@dataclass(frozen=True, slots=True)
class IntakeView:
    """One request; ``cut``: there are more items."""

    at: datetime
    address: str
    summary: str
    bad: bool
    items: Sequence[IntakeItemView]
    cut: int
    body: str
    truncated: bool


def view_health(route: Route, health: RouteHealth) -> RouteHealthView:
    level, head, note = _state(route, health)
    requests = "1 request" if health.recent == 1 else f"{health.recent} requests"
    counts = f"{requests} in the last hour"
    if health.rejected:
        counts += f", {health.rejected} rejected"
    return RouteHealthView(level, head, note, health.last_at, counts)


def _state(route: Route, health: RouteHealth) -> tuple[str, str, str]:
    if not route.enabled:
        return "warning", "Switched off", "Whatever is sent to this route is turned away."
    if health.last_at is None:
        return "none", "Nothing has arrived yet", "Set up the sender, then send a test alert."
    if health.rejecting:
        return "bad", "The last payload was rejected", "It created no alert and paged nobody."
    if health.rejected:
        return "warning", "Some alerts are rejected", "The last payloads show which, and why."
    return "good", "Alerts arrive", ""


def view_request(request: IntakeRequest, prefix: str) -> IntakeView:
    outcomes = request.outcomes
    return IntakeView(
        at=request.received_at,
        address=request.address or "Test from the console",
        summary=_summary(outcomes),
        bad=any(item["outcome"] == Outcome.REJECTED for item in outcomes),
        items=[_item(item, prefix) for item in outcomes[:_MOST_ITEMS]],
        cut=max(0, len(outcomes) - _MOST_ITEMS),
        body=_pretty(request.body),
        truncated=request.truncated,
    )


def _summary(outcomes: Sequence[Mapping[str, Any]]) -> str:
    counts = Counter(item["outcome"] for item in outcomes)
    if not counts:
        return "No alerts in it"
    if len(counts) == 1 and counts.total() == 1:
        return str(next(iter(counts))).capitalize()
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items())


def _item(item: Mapping[str, Any], prefix: str) -> IntakeItemView:
    alert_id = item.get("alert_id")
    return IntakeItemView(
        outcome=str(item["outcome"]),
        reason=item.get("reason") or "",
        url=f"{prefix}/alerts/{alert_id}" if alert_id else None,
    )


def _pretty(body: bytes) -> str:
    """The body, indented if it is JSON, at most LONGEST_BODY characters."""
    text = body.decode(errors="replace")
    try:
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        text.encode()
    except (ValueError, RecursionError):
        text = body.decode(errors="replace")
    return shorten(text, LONGEST_BODY)


def pages_whom(route: Route) -> str:
    """``the policy Standard``, ``the person on call in Primary``; "" if it pages nobody."""
    if route.policy is not None:
        return f"the policy {route.policy.name}"
    if route.rotation is not None:
        return f"the person on call in {route.rotation.name}"
    return ""
