"""A person's notification rules, as stored and as they take effect."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from incidentrelay import db
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import Urgency
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.escalation.notification_rules import (
    ContactRule,
    effective_rules,
    rule_mistakes,
)
from incidentrelay.models import ContactMethod, NotificationRule, User
from incidentrelay.services.common import audit
from incidentrelay.services.recipients import contact_methods


@dataclass(frozen=True, slots=True)
class RuleList:
    """The rules for pages of one urgency; ``default`` if the person has none of their own.

    No rules at all: only the inbox, or the e-mail address of the profile that is not
    confirmed yet.
    """

    urgency: Urgency
    default: bool
    rules: tuple[ContactRule, ...]


def read_rules(session: Session, user_id: int) -> dict[Urgency, RuleList]:
    _, ways = contact_methods.load_contact_methods(session, [user_id])
    found = ways.get(user_id, contact_methods.NO_CONTACT_METHODS)
    lists = {}
    for urgency in Urgency:
        own = found.rules.get(urgency, ())
        lists[urgency] = RuleList(
            urgency, not own, effective_rules(own, list(found.contacts), urgency)
        )
    return lists


def save_rules(
    session: Session,
    user: User,
    urgency: Urgency,
    given: Sequence[Mapping[str, Any]],
    *,
    actor: Actor,
    now: datetime,
) -> RuleList:
    """Replace the person's rules for that urgency; an empty list restores the default.

    Raises InvalidInput for rules of contacts that are not confirmed, and for an urgent list
    that uses no contact at once.
    """
    # Locked, so that no contact is removed or added meanwhile.
    session.execute(select(User.id).where(User.id == user.id).with_for_update(key_share=True))
    _, ways = contact_methods.load_contact_methods(session, [user.id])
    found = ways.get(user.id, contact_methods.NO_CONTACT_METHODS)
    rules = [ContactRule(each["delay"], each["contact_id"]) for each in given]
    wrong = rule_mistakes(rules, found.contacts, urgency)
    if wrong:
        raise InvalidInput(wrong)
    before = found.rules.get(urgency, ())
    theirs = select(ContactMethod.id).where(ContactMethod.user_id == user.id)
    session.execute(
        delete(NotificationRule)
        .where(NotificationRule.urgency == urgency, NotificationRule.contact_id.in_(theirs))
        .execution_options(synchronize_session=False)
    )
    rows = [
        {"contact_id": rule.contact_id, "urgency": urgency, "delay": rule.delay} for rule in rules
    ]
    db.insert_all(session, NotificationRule, rows)
    diff = {f"{urgency}_rules": [_plain(before), _plain(rules)]}
    audit.record_change(session, actor, "set_rules", user, diff, now=now)
    return read_rules(session, user.id)[urgency]


def _plain(rules: Sequence[ContactRule]) -> list[dict[str, int]]:
    return [{"delay": rule.delay, "contact_id": rule.contact_id} for rule in rules]
