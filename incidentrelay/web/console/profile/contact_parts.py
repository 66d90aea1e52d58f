"""Contact methods and notification rules on the settings page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from incidentrelay.domain.enums import Urgency
from incidentrelay.domain.escalation.notification_rules import LONGEST_DELAY, MOST_RULES
from incidentrelay.models import ContactMethod, User
from incidentrelay.services.delivery import rule_tests
from incidentrelay.services.people import contacts
from incidentrelay.services.recipients import notification_rules
from incidentrelay.web.console.components import delivery_wording
from incidentrelay.web.console.forms.moments import format_minutes
from incidentrelay.web.console.forms.repeating_rows import row_values
from incidentrelay.web.console.forms.schema_forms import SchemaForm
from incidentrelay.web.schemas.people.contact import CodeSchema, ContactSchema, RuleListSchema

NEW = ("kind", "label", "address")
_HEADS = {
    Urgency.HIGH: ("Urgent alerts", "Severity critical and high."),
    Urgency.LOW: ("Other alerts", "Severity medium, warning, low and info."),
}


@dataclass(slots=True)
class RuleDraft:
    """One rule as the form has it; ``delay`` is in minutes."""

    mark: ClassVar[str] = "delay"

    delay: str = ""
    contact_id: str = ""


class RulesForm(SchemaForm):
    """The rules for alerts of one urgency."""

    def __init__(self, urgency: Urgency, rows: list[RuleDraft]) -> None:
        super().__init__(RuleListSchema, (), row_values(rows, "rules"), key=str(urgency))
        self.rows = rows


def code_form(contact: ContactMethod) -> SchemaForm:
    """The form for the code of a contact; its other actions show their errors in it too."""
    return SchemaForm(CodeSchema, ("code",), key=str(contact.id))


def list_methods(request: Any, user: User, kept: Mapping[str, SchemaForm]) -> dict[str, Any]:
    """``kept`` has the rejected form, by its key."""
    theirs = contacts.list_contacts(request.db, user.id)
    return {
        "kinds": contacts.contact_kinds(request.registry["channels"]),
        "contacts": [
            (each, contacts.is_profile(each, user), kept.get(str(each.id), code_form(each)))
            for each in theirs
        ],
        "confirmed": [each for each in theirs if each.verified_at is not None],
        "new_contact": kept.get("new", SchemaForm(ContactSchema, NEW, key="new")),
        "adding": "new" in kept,
        "rule_lists": _rule_lists(request, user, kept),
        "most_rules": MOST_RULES,
        "most_minutes": LONGEST_DELAY // 60,
        "latest_test": [
            (row, delivery_wording.state(row))
            for row in rule_tests.latest_rule_test(request.db, user.id)
        ],
    }


def _rule_lists(request: Any, user: User, kept: Mapping[str, SchemaForm]) -> list[dict[str, Any]]:
    stored = notification_rules.read_rules(request.db, user.id)
    return [
        {
            "form": kept.get(str(urgency), stored_rules(urgency, stored[urgency])),
            "head": head,
            "about": about,
            "default": stored[urgency].default,
        }
        for urgency, (head, about) in _HEADS.items()
    ]


def stored_rules(urgency: Urgency, stored: notification_rules.RuleList) -> RulesForm:
    rules = stored.rules
    return RulesForm(
        urgency, [RuleDraft(format_minutes(rule.delay), str(rule.contact_id)) for rule in rules]
    )
