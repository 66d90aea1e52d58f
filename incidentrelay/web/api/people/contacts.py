"""The current user's contacts and notification rules: confirming, editing, testing."""

from collections.abc import Sequence
from typing import Any

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Notification
from incidentrelay.services.delivery import rule_tests
from incidentrelay.services.people import contacts
from incidentrelay.services.recipients import notification_rules
from incidentrelay.services.recipients.notification_rules import RuleList
from incidentrelay.web import transactions
from incidentrelay.web.api.toolkit import crud
from incidentrelay.web.api.toolkit.view import api_view
from incidentrelay.web.resources.base import Item
from incidentrelay.web.resources.people.contacts import ContactNode, UrgencyRules
from incidentrelay.web.schemas.people.contact import CodeSchema, RuleListSchema, RuleTestSchema


@api_view(
    context=ContactNode,
    name="send-code",
    method="POST",
    permission=Permission.EDIT,
    returns="schema",
    status=202,
    errors=(409,),
    summary="Send a new code to an unconfirmed contact",
)
def send_code(context: ContactNode, request: Any) -> Item:
    vault = request.registry["vault"]
    contacts.send_code(
        request.db, context.obj, actor=crud.actor(request), now=request.now, vault=vault
    )
    return crud.loaded(context, request)


@api_view(
    context=ContactNode,
    name="confirm",
    method="POST",
    permission=Permission.EDIT,
    body=CodeSchema,
    returns="schema",
    errors=(413, 415, 422),
    summary="Confirm a contact with the code sent to it",
)
def confirm(context: ContactNode, request: Any) -> Item:
    code = request.body_data["code"]
    if not contacts.confirm_contact(
        request.db, context.obj, code, actor=crud.actor(request), now=request.now
    ):
        transactions.commit_so_far(request)
        raise InvalidInput.of("code", "This is not the code we sent.")
    return crud.loaded(context, request)


@api_view(
    context=UrgencyRules,
    method="GET",
    permission=Permission.VIEW,
    returns=RuleListSchema,
    summary="List your notification rules",
)
def read_rules(context: UrgencyRules, request: Any) -> RuleList:
    return notification_rules.read_rules(request.db, context.owner.id)[context.urgency]


@api_view(
    context=UrgencyRules,
    method="PUT",
    permission=Permission.EDIT,
    body=RuleListSchema,
    returns=RuleListSchema,
    errors=(413, 415, 422),
    summary="Replace your rules; an empty list restores the defaults",
)
def replace_rules(context: UrgencyRules, request: Any) -> RuleList:
    return notification_rules.save_rules(
        request.db,
        context.owner,
        context.urgency,
        request.body_data["rules"],
        actor=crud.actor(request),
        now=request.now,
    )


@api_view(
    context=UrgencyRules,
    name="test",
    method="POST",
    permission=Permission.EDIT,
    returns=RuleTestSchema,
    many=True,
    status=202,
    errors=(409,),
    summary="Test your rules on yourself; minutes of delay become seconds",
)
def test_rules(context: UrgencyRules, request: Any) -> Sequence[Notification]:
    return rule_tests.send_rule_test(
        request.db, context.owner, context.urgency, actor=crud.actor(request), now=request.now
    )


@api_view(
    context=UrgencyRules,
    name="test",
    method="GET",
    permission=Permission.VIEW,
    returns=RuleTestSchema,
    many=True,
    summary="List the messages of your latest test and their results",
)
def last_test(context: UrgencyRules, request: Any) -> Sequence[Notification]:
    return rule_tests.latest_rule_test(request.db, context.owner.id)
