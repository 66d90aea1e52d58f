"""People with their contact methods, loaded in one statement."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import cast

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.orm import Session

from incidentrelay.channels.kinds import word_of
from incidentrelay.domain.enums import Urgency
from incidentrelay.domain.escalation.notification_rules import ContactRule
from incidentrelay.models import ContactMethod, GroupMember, NotificationRule, User

# Outer joins: the contact, the rule and the membership may be missing.
_Row = tuple[User, int | None, str, str, Urgency | None, int, int | None]
_IDS: BindParameter[int] = bindparam("ids", expanding=True)
_GROUPS: BindParameter[int] = bindparam("groups", expanding=True)
_PEOPLE = (
    select(
        User,
        ContactMethod.id,
        ContactMethod.kind,
        ContactMethod.label,
        NotificationRule.urgency,
        NotificationRule.delay,
        GroupMember.group_id,
    )
    .outerjoin(
        ContactMethod,
        (ContactMethod.user_id == User.id) & ContactMethod.verified_at.is_not(None),
    )
    .outerjoin(NotificationRule, NotificationRule.contact_id == ContactMethod.id)
    .outerjoin(GroupMember, (GroupMember.user_id == User.id) & GroupMember.group_id.in_(_GROUPS))
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


@dataclass(slots=True)
class PeopleById:
    """``members`` are the (group, user) pairs of the requested groups."""

    users: dict[int, User] = field(default_factory=dict)
    methods: dict[int, ContactMethods] = field(default_factory=dict)
    members: set[tuple[int, int]] = field(default_factory=set)


def load_contact_methods(
    session: Session, user_ids: Collection[int]
) -> tuple[dict[int, User], Mapping[int, ContactMethods]]:
    """The people with these ids, and the contact methods of those who have any."""
    people = load_people(session, user_ids)
    return people.users, people.methods


def load_people(
    session: Session, user_ids: Collection[int], group_ids: Collection[int] = ()
) -> PeopleById:
    """The people with their contact methods and memberships, in one statement."""
    people = PeopleById()
    if not user_ids:
        return people
    for row in session.execute(_PEOPLE, {"ids": list(user_ids), "groups": list(group_ids)}):
        user, contact_id, kind, label, urgency, delay, group_id = cast(_Row, tuple(row))
        people.users[user.id] = user
        if group_id is not None:
            people.members.add((group_id, user.id))
        if contact_id is None:
            continue
        methods = people.methods.setdefault(user.id, ContactMethods())
        methods.contacts.setdefault(contact_id, ContactAddress(contact_id, kind, label))
        if urgency is None:
            continue
        rules, rule = methods.rules.get(urgency, ()), ContactRule(delay, contact_id)
        # Each group of the person repeats their rules.
        if rule not in rules:
            methods.rules[urgency] = (*rules, rule)
    return people
