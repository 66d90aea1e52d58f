"""People with their contact methods, loaded in one statement."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import cast

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.orm import Session

from incidentrelay.channels.kinds import word_of
from incidentrelay.domain.enums import Urgency
from incidentrelay.domain.escalation.notification_rules import ContactRule
from incidentrelay.models import ContactMethod, NotificationRule, User

# Outer joins: the contact and the rule may be missing.
_Row = tuple[User, int | None, str, str, Urgency | None, int]
_IDS: BindParameter[int] = bindparam("ids", expanding=True)
_PEOPLE = (
    select(
        User,
        ContactMethod.id,
        ContactMethod.kind,
        ContactMethod.label,
        NotificationRule.urgency,
        NotificationRule.delay,
    )
    .outerjoin(
        ContactMethod,
        (ContactMethod.user_id == User.id) & ContactMethod.verified_at.is_not(None),
    )
    .outerjoin(NotificationRule, NotificationRule.contact_id == ContactMethod.id)
    .where(User.id.in_(_IDS))
    .order_by(User.id, ContactMethod.id, NotificationRule.delay)
)


@dataclass(frozen=True, slots=True)
class ContactAddress:
    """A contact that is confirmed."""

    id: int
    kind: str
    label: str


@dataclass(slots=True)
class ContactMethods:
    """A person's confirmed contacts by id, the oldest first; and rules that name them."""

    contacts: dict[int, ContactAddress] = field(default_factory=dict)
    rules: dict[Urgency, tuple[ContactRule, ...]] = field(default_factory=dict)


NO_CONTACT_METHODS = ContactMethods()


def find_contact(method: str, label: str = "") -> str:
    """A contact method in words: ``e-mail (Home)``."""
    word = word_of(method)
    return f"{word} ({label})" if label else word


def load_contact_methods(
    session: Session, user_ids: Collection[int]
) -> tuple[dict[int, User], Mapping[int, ContactMethods]]:
    """The people with these ids, and the contact methods of those who have any."""
    if not user_ids:
        return {}, {}
    users: dict[int, User] = {}
    ways: dict[int, ContactMethods] = {}
    for row in session.execute(_PEOPLE, {"ids": list(user_ids)}):
        user, contact_id, kind, label, urgency, delay = cast(_Row, tuple(row))
        users[user.id] = user
        if contact_id is None:
            continue
        found = ways.setdefault(user.id, ContactMethods())
        found.contacts.setdefault(contact_id, ContactAddress(contact_id, kind, label))
        if urgency is not None:
            found.rules[urgency] = (*found.rules.get(urgency, ()), ContactRule(delay, contact_id))
    return users, ways
