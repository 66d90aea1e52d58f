"""How one is reached: the forms of that part of one's settings."""

from collections.abc import Sequence
from typing import Any

from incidentrelay.domain.errors import Conflict, DomainError, InvalidInput
from incidentrelay.domain.permissions import Permission
from incidentrelay.services.delivery import rule_tests
from incidentrelay.services.people import contacts
from incidentrelay.services.recipients import notification_rules
from incidentrelay.web.console.forms import forms
from incidentrelay.web.console.profile import contact_parts, me
from incidentrelay.web.console.toolkit.actors import actor
from incidentrelay.web.console.toolkit.flash import flash
from incidentrelay.web.console.toolkit.redirects import see_other
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.resources.people.contacts import ContactNode, MyContacts, UrgencyRules

_NEW = ("kind", "label", "address")


class form(console_view):
    """A form of this part; where something is wrong the page comes back with its words."""

    def __init__(
        self, context: Any, name: str = "", permission: Permission = Permission.EDIT
    ) -> None:
        super().__init__(
            context=context,
            name=name,
            method="POST",
            permission=permission,
            template=me.TEMPLATE,
        )


@form(MyContacts, permission=Permission.CREATE)
def add(context: MyContacts, request: Any) -> Any:
    given = {name: forms.typed(request, name) for name in _NEW}
    try:
        data = {name: forms.text(request, name, 254) for name in _NEW}
        contacts.create(
            request.db,
            context.owner,
            data,
            actor=actor(request),
            now=request.now,
            **context.extras(),
        )
    except (InvalidInput, Conflict) as error:
        return _wrong(context.__parent__, request, error, "new", new=given)
    flash(request, f"We sent a code to {data['address']}. Enter it here.")
    return _back(request)


@form(ContactNode, "confirm")
def confirm(context: ContactNode, request: Any) -> Any:
    contact = context.obj
    try:
        code = forms.text(request, "code", 20)
        right = contacts.confirm_contact(
            request.db, contact, code, actor=actor(request), now=request.now
        )
    except InvalidInput as error:
        return _wrong(_me(context), request, error, str(contact.id))
    if not right:
        mistake = InvalidInput.of("code", "This is not the code we sent. Check it and try again.")
        return _wrong(_me(context), request, mistake, str(contact.id), undo=False)
    flash(request, f"{contact.label} is confirmed. Pages go there now.")
    return _back(request)


@form(ContactNode, "send-code")
def send_code(context: ContactNode, request: Any) -> Any:
    contact, vault = context.obj, request.registry["vault"]
    try:
        contacts.send_code(request.db, contact, actor=actor(request), now=request.now, vault=vault)
    except Conflict as error:
        return _wrong(_me(context), request, error, str(contact.id))
    flash(request, f"We sent a new code to {contact.address}.")
    return _back(request)


@form(ContactNode, "delete", Permission.DELETE)
def delete(context: ContactNode, request: Any) -> Any:
    contact = context.obj
    try:
        contacts.delete(request.db, contact, actor=actor(request), now=request.now)
    except Conflict as error:
        return _wrong(_me(context), request, error, str(contact.id))
    flash(request, f"{contact.label} is deleted, with its rules.")
    return _back(request)


@form(UrgencyRules)
def save_rules(context: UrgencyRules, request: Any) -> Any:
    rows = list(zip(forms.words(request, "minutes"), forms.words(request, "contact"), strict=False))
    kept = [row for row in rows if row[1]]
    try:
        notification_rules.save_rules(
            request.db,
            context.owner,
            context.urgency,
            _read(kept),
            actor=actor(request),
            now=request.now,
        )
    except InvalidInput as error:
        shown = {context.urgency: kept}
        return _wrong(_me(context), request, error, str(context.urgency), rules=shown)
    flash(request, "Rules saved." if kept else "The default rules apply again.")
    return _back(request)


@form(UrgencyRules, "test")
def test_rules(context: UrgencyRules, request: Any) -> Any:
    try:
        rule_tests.send_rule_test(
            request.db, context.owner, context.urgency, actor=actor(request), now=request.now
        )
    except Conflict as error:
        return _wrong(_me(context), request, error, str(context.urgency))
    flash(request, "Test sent. See the result below.")
    return _back(request, "test-head")


def _read(rows: Sequence[tuple[str, str]]) -> list[dict[str, int]]:
    """Rows of the form as rules; raises InvalidInput with the row that is not right."""
    found = []
    for place, (minutes, contact_id) in enumerate(rows):
        try:
            delay = round(float(minutes.strip().replace(",", ".") or 0) * 60)
        except (ValueError, OverflowError):
            raise InvalidInput.of(f"rules.{place}.delay", "Write a number of minutes.") from None
        known = contact_id.isascii() and contact_id.isdigit() and len(contact_id) < 18
        found.append({"delay": delay, "contact_id": int(contact_id) if known else 0})
    return found


def _me(context: Any) -> Any:
    return context.__parent__.__parent__


def _back(request: Any, part: str = "reach-head") -> Any:
    return see_other(request, f"{request.script_name}/me#{part}")


def _wrong(
    context: Any, request: Any, error: DomainError, key: str, *, undo: bool = True, **given: Any
) -> dict[str, Any]:
    """The page again. An error of a field is called ``key-field``, another one ``key``."""
    request.response.status_int = 422 if isinstance(error, InvalidInput) else 409
    if undo:
        request.tm.doom()
    named = error.errors if isinstance(error, InvalidInput) else {"": [error.message]}
    errors = {f"{key}-{name}".rstrip("-"): " ".join(texts) for name, texts in named.items()}
    part = contact_parts.reach(context, request, errors=errors, **given)
    return me.page(context, request, reach=part)
