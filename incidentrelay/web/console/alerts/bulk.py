"""One action on all ticked alerts of the list."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.permissions import Permission
from incidentrelay.services.access import user_lookup
from incidentrelay.services.alerts import bulk
from incidentrelay.services.alerts.bulk import BulkAction, BulkOrder, BulkOutcome, BulkResult
from incidentrelay.web.console.components import available_actions
from incidentrelay.web.console.forms import forms
from incidentrelay.web.console.toolkit.actions import ActionMessages, action_view
from incidentrelay.web.console.toolkit.actors import actor
from incidentrelay.web.resources.alerts.alerts import Alerts
from incidentrelay.web.resources.base import parse_id

_DONE = {
    BulkAction.ACK: "acknowledged",
    BulkAction.UNACK: "returned to their teams",
    BulkAction.RESOLVE: "resolved",
    BulkAction.SNOOZE: "snoozed",
    BulkAction.ASSIGN: "assigned",
    BulkAction.REASSIGN: "passed to the next person",
    BulkAction.ESCALATE: "escalated",
    BulkAction.COMMENT: "commented",
}


@action_view(Alerts, "bulk", Permission.RESPOND)
def act(_context: Alerts, request: Any) -> ActionMessages:
    order, ids, who = _order(request), _ids(request), actor(request)
    results = bulk.perform_bulk(
        request.db, order, ids, request.identity, actor=who, now=request.now
    )
    return _summarize(order, results)


def _ids(request: Any) -> list[int]:
    try:
        ids = [parse_id(word) for word in forms.words(request, "ids")]
    except KeyError:
        ids = []
    if not ids:
        raise InvalidInput.of("ids", "Tick the alerts first.")
    return ids


def _order(request: Any) -> BulkOrder:
    """The action of the pressed button, with its fields."""
    word = forms.text(request, "action", 20)
    if word not in set(BulkAction):
        raise InvalidInput.of("action", "Choose an action.")
    action = BulkAction(word)
    if action is BulkAction.SNOOZE:
        choice = forms.text(request, "for")
        return BulkOrder(
            action, available_actions.snooze_until(choice, request.identity.zone, request.now)
        )
    if action is BulkAction.ASSIGN:
        username = forms.text(request, "username", 63)
        return BulkOrder(
            action, user=user_lookup.find_colleague(request.db, request.identity, username)
        )
    return BulkOrder(action, text=forms.text(request, "text"))


def _summarize(order: BulkOrder, results: Sequence[BulkResult]) -> ActionMessages:
    """One sentence about all results, and its tone."""
    counts = Counter(result.outcome for result in results)
    parts = [f"{_alerts(counts[BulkOutcome.DONE])} {_DONE[order.action]}"]
    if counts[BulkOutcome.UNCHANGED]:
        parts.append(f"{counts[BulkOutcome.UNCHANGED]} already were")
    bad = [r for r in results if r.outcome in (BulkOutcome.REFUSED, BulkOutcome.NOT_FOUND)]
    if bad:
        reasons = " ".join(dict.fromkeys(result.reason for result in bad))
        parts.append(f"{len(bad)} failed. {reasons}".removesuffix("."))
    return [(f"{', '.join(parts)}.", "error" if bad else "success")]


def _alerts(count: int) -> str:
    return "1 alert" if count == 1 else f"{count} alerts"
