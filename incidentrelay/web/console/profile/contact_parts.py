"""The part of one's settings that says how one is reached: what it shows."""

from collections.abc import Mapping, Sequence
from typing import Any

from incidentrelay.domain.enums import Urgency
from incidentrelay.domain.escalation.notification_rules import LONGEST_DELAY, MOST_RULES
from incidentrelay.services.delivery import rule_tests
from incidentrelay.services.people import contacts
from incidentrelay.services.recipients import notification_rules
from incidentrelay.web.console.components import delivery_wording

_HEADS = {
    Urgency.HIGH: ("Urgent alerts", "Severity critical and high."),
    Urgency.LOW: ("Other alerts", "Severity medium, warning, low and info."),
}


def reach(
    context: Any,
    request: Any,
    *,
    errors: Mapping[str, str] | None = None,
    new: Mapping[str, str] | None = None,
    rules: Mapping[Urgency, Sequence[tuple[str, str]]] | None = None,
) -> dict[str, Any]:
    """``errors`` by the id of the input; ``new`` and ``rules`` are refused entries.

    ``rules`` are (minutes, contact's id) as they stand in the form.
    """
    user = context.obj
    theirs = contacts.list_contacts(request.db, user.id)
    kept = notification_rules.read_rules(request.db, user.id)
    return {
        "errors": errors or {},
        "kinds": contacts.contact_kinds(request.registry["channels"]),
        "contacts": [(each, contacts.is_profile(each, user)) for each in theirs],
        "confirmed": [each for each in theirs if each.verified_at is not None],
        "new": new or dict.fromkeys(("kind", "label", "address"), ""),
        "adding": new is not None,
        "lists": [
            {
                "urgency": urgency,
                "head": head,
                "about": about,
                "default": kept[urgency].default,
                "rows": (rules or {}).get(urgency) or rows(kept[urgency]),
            }
            for urgency, (head, about) in _HEADS.items()
        ],
        "most_rules": MOST_RULES,
        "most_minutes": LONGEST_DELAY // 60,
        "test": [
            (row, delivery_wording.state(row))
            for row in rule_tests.latest_rule_test(request.db, user.id)
        ],
    }


def rows(kept: notification_rules.RuleList) -> list[tuple[str, str]]:
    return [(minutes(rule.delay), str(rule.contact_id)) for rule in kept.rules]


def minutes(seconds: int) -> str:
    """``5``; with a fraction only where there is one, fine enough for a second."""
    return f"{seconds / 60:.2f}".rstrip("0").rstrip(".")
