"""Contact methods and notification rules: their forms on the settings page."""

from collections.abc import Sequence
from typing import Any

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.escalation.notification_rules import MOST_RULES
from incidentrelay.domain.permissions import Permission
from incidentrelay.services.delivery import rule_tests
from incidentrelay.services.people import contacts
from incidentrelay.services.recipients import notification_rules
from incidentrelay.web.console.forms.moments import parse_minutes
from incidentrelay.web.console.forms.repeating_rows import read_rows
from incidentrelay.web.console.forms.schema_forms import SchemaForm
from incidentrelay.web.console.profile import contact_parts, me_page
from incidentrelay.web.console.profile.contact_parts import RuleDraft, RulesForm
from incidentrelay.web.console.profile.me_page import own_form
from incidentrelay.web.console.toolkit.actors import actor
from incidentrelay.web.resources.people.contacts import ContactNode, MyContacts, UrgencyRules
from incidentrelay.web.schemas.people.contact import CodeSchema, ContactSchema

_PART = "contacts-head"


def _posted_contact(_context: MyContacts, request: Any) -> SchemaForm:
    return SchemaForm.posted(ContactSchema, contact_parts.NEW, request, key="new")


@own_form(MyContacts, "", _posted_contact, Permission.CREATE, _PART)
def add(context: MyContacts, request: Any, form: SchemaForm) -> str:
    data, who = form.parse(), actor(request)
    extras = context.extras()
    contacts.create(request.db, context.owner, data, actor=who, now=request.now, **extras)
    return f"We sent a code to {data['address']}. Enter it here."


def _posted_code(context: ContactNode, request: Any) -> SchemaForm:
    return SchemaForm.posted(CodeSchema, ("code",), request, key=str(context.obj.id))


@own_form(ContactNode, "confirm", _posted_code, part=_PART)
def confirm(context: ContactNode, request: Any, form: SchemaForm) -> str | dict[str, Any]:
    contact, who = context.obj, actor(request)
    code = form.parse()["code"]
    if contacts.confirm_contact(request.db, contact, code, actor=who, now=request.now):
        return f"{contact.label} is confirmed. Pages go there now."
    mistake = InvalidInput.of("code", "This is not the code we sent. Check it and try again.")
    # The failed attempt is counted, so it must be committed.
    form.reject(request, mistake, undo=False)
    return me_page.page(context, request, form)


def _contact_form(context: ContactNode, _request: Any) -> SchemaForm:
    return contact_parts.code_form(context.obj)


@own_form(ContactNode, "send-code", _contact_form, part=_PART)
def send_code(context: ContactNode, request: Any, _form: SchemaForm) -> str:
    contact, vault = context.obj, request.registry["vault"]
    contacts.send_code(request.db, contact, actor=actor(request), now=request.now, vault=vault)
    return f"We sent a new code to {contact.address}."


@own_form(ContactNode, "delete", _contact_form, Permission.DELETE, _PART)
def delete(context: ContactNode, request: Any, _form: SchemaForm) -> str:
    contact = context.obj
    contacts.delete(request.db, contact, actor=actor(request), now=request.now)
    return f"{contact.label} deleted, with its rules."


def _posted_rules(context: UrgencyRules, request: Any) -> RulesForm:
    rows = read_rows(RuleDraft, request, "rules", MOST_RULES + 1)
    return RulesForm(context.urgency, [row for row in rows if row.contact_id])


@own_form(UrgencyRules, "", _posted_rules, part=_PART)
def save_rules(context: UrgencyRules, request: Any, form: RulesForm) -> str:
    rules, who = _rules(form.rows), actor(request)
    notification_rules.save_rules(
        request.db, context.owner, context.urgency, rules, actor=who, now=request.now
    )
    return "Rules saved." if rules else "The default rules apply again."


def _stored_rules(context: UrgencyRules, request: Any) -> RulesForm:
    stored = notification_rules.read_rules(request.db, context.owner.id)[context.urgency]
    return contact_parts.stored_rules(context.urgency, stored)


@own_form(UrgencyRules, "test", _stored_rules, part="test-head")
def send_test(context: UrgencyRules, request: Any, _form: RulesForm) -> str:
    rule_tests.send_rule_test(
        request.db, context.owner, context.urgency, actor=actor(request), now=request.now
    )
    return "Test sent. See the result below."


def _rules(rows: Sequence[RuleDraft]) -> list[dict[str, int]]:
    """Rows of the form as rules; raises InvalidInput that names the wrong row."""
    found = []
    for place, row in enumerate(rows):
        delay = parse_minutes(row.delay or "0")
        if delay is None:
            raise InvalidInput.of(f"rules.{place}.delay", "Write a number of minutes.")
        contact_id = row.contact_id
        known = contact_id.isascii() and contact_id.isdigit() and len(contact_id) < 18
        found.append({"delay": delay, "contact_id": int(contact_id) if known else 0})
    return found
