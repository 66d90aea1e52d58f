"""A person's contacts: confirmation by code, the profile's address, and the last contact."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from incidentrelay.channels.base import ChannelInfo, Personal
from incidentrelay.channels.email.channel import EmailConfig, personal_address
from incidentrelay.domain.enums import NotificationKind, Urgency
from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.models import AuditEntry, ContactMethod, Notification, User
from incidentrelay.services.common.secret_box import SecretBox
from incidentrelay.services.delivery import claims
from incidentrelay.services.people import contacts, verification
from incidentrelay.services.recipients import notification_rules
from incidentrelay.services.tenancy import users
from tests.services.conftest import ADMIN, Kind, acting
from tests.support import factories
from tests.support.pager import LEASE_TERMS

pytestmark = pytest.mark.both_databases
MINUTE = timedelta(minutes=1)


class Registry:
    def __init__(self) -> None:
        kind = Kind("email", EmailConfig, frozenset())
        personal = Personal("E-mail address", personal_address)
        kind.info = ChannelInfo("email", "E-mail", "email", EmailConfig, personal=personal)
        self._kind = kind

    def get(self, name: str) -> Any:
        return self._kind

    def names(self) -> tuple[str, ...]:
        return ("email",)


@pytest.fixture
def ann(session: Session) -> User:
    return factories.user(session, "ann")


def add(
    session: Session, user: User, vault: SecretBox, now: datetime, address: str = "ann@home.test"
) -> ContactMethod:
    data = {"kind": "email", "label": "Home", "address": address}
    return contacts.create(
        session, user, data, actor=acting(user), now=now, registry=Registry(), vault=vault
    )


def sent_code(session: Session, vault: SecretBox, contact: ContactMethod, now: datetime) -> str:
    """The code in the newest message to the contact, as a worker sends it."""
    query = select(func.max(Notification.id)).where(Notification.contact_id == contact.id)
    newest = session.scalar(query)
    assert newest is not None
    claim = claims.claim_notification(session, newest, vault, now, lease=LEASE_TERMS)
    assert claim is not None
    assert claim.config == {"to": [contact.address]}
    found = re.search(r"\d{6}", claim.messages[0].message.title)
    assert found is not None
    return found[0]


def confirm(session: Session, contact: ContactMethod, code: str, now: datetime) -> bool:
    user = session.get_one(User, contact.user_id)
    return contacts.confirm_contact(session, contact, code, actor=acting(user), now=now)


def test_a_contact_is_confirmed_with_the_code_that_came(
    session: Session, ann: User, vault: SecretBox, now: datetime
) -> None:
    contact = add(session, ann, vault, now)
    assert contact.verified_at is None
    code = sent_code(session, vault, contact, now)
    assert confirm(session, contact, code, now + MINUTE)
    assert contact.verified_at == now + MINUTE
    assert contact.code_hash is None


def test_a_code_stands_nowhere_in_the_database(
    session: Session, ann: User, vault: SecretBox, now: datetime
) -> None:
    contact = add(session, ann, vault, now)
    code = sent_code(session, vault, contact, now)
    session.flush()
    row = session.scalars(select(Notification)).one()
    assert code not in str(row.message)
    assert code not in str(contact.code_hash)
    entries = session.scalars(select(AuditEntry)).all()
    assert entries
    assert not any(code in str(entry.diff) for entry in entries)


def test_a_code_works_only_once_for_a_while_and_for_a_few_tries(
    session: Session, ann: User, vault: SecretBox, now: datetime
) -> None:
    contact = add(session, ann, vault, now)
    code = sent_code(session, vault, contact, now)
    wrong = "000000" if code != "000000" else "111111"
    for _ in range(verification.MOST_TRIES):
        assert not confirm(session, contact, wrong, now)
    with pytest.raises(InvalidInput, match=r"not right"):
        confirm(session, contact, code, now)
    contacts.send_code(session, contact, actor=acting(ann), now=now, vault=vault)
    second = sent_code(session, vault, contact, now)
    late = now + verification.LIFETIME
    with pytest.raises(InvalidInput):
        confirm(session, contact, second, late)
    assert contact.verified_at is None
    assert confirm(session, contact, second, late - MINUTE)
    with pytest.raises(Conflict):
        contacts.send_code(session, contact, actor=acting(ann), now=now, vault=vault)


def test_a_new_code_makes_the_one_before_void(
    session: Session, ann: User, vault: SecretBox, now: datetime
) -> None:
    contact = add(session, ann, vault, now)
    first = sent_code(session, vault, contact, now)
    contacts.send_code(session, contact, actor=acting(ann), now=now, vault=vault)
    second = sent_code(session, vault, contact, now)
    assert first == second or not confirm(session, contact, first, now)


def test_nobody_is_flooded_with_codes(
    session: Session, ann: User, vault: SecretBox, now: datetime
) -> None:
    made = [add(session, ann, vault, now, f"a{number}@x.test") for number in range(3)]
    for contact in made:
        contacts.send_code(session, contact, actor=acting(ann), now=now, vault=vault)
    with pytest.raises(Conflict, match="Try again later"):
        add(session, ann, vault, now, "one@more.test")
    with pytest.raises(Conflict, match="Try again later"):
        contacts.send_code(session, made[0], actor=acting(ann), now=now + MINUTE, vault=vault)
    later = now + verification.WINDOW
    contacts.send_code(session, made[0], actor=acting(ann), now=later, vault=vault)
    kinds = session.scalars(select(Notification.kind)).all()
    assert set(kinds) == {NotificationKind.VERIFICATION}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "pigeon"}, "kind"),
        ({"kind": ["email"]}, "kind"),
        ({"address": "nobody"}, "address"),
        ({"address": 7}, "address"),
        ({"label": " "}, "label"),
    ],
)
def test_what_is_wrong_is_named(
    session: Session, ann: User, vault: SecretBox, now: datetime, change: dict[str, Any], field: str
) -> None:
    data = {"kind": "email", "label": "Home", "address": "ann@home.test", **change}
    with pytest.raises(InvalidInput) as caught:
        contacts.create(
            session, ann, data, actor=acting(ann), now=now, registry=Registry(), vault=vault
        )
    assert list(caught.value.errors) == [field]
    assert session.scalar(select(func.count()).select_from(ContactMethod)) == 0


def test_an_address_is_a_contact_once(
    session: Session, ann: User, vault: SecretBox, now: datetime
) -> None:
    add(session, ann, vault, now)
    with pytest.raises(InvalidInput) as caught:
        add(session, ann, vault, now, "Ann@HOME.test")
    assert list(caught.value.errors) == ["address"]


def test_there_are_not_endlessly_many(
    session: Session, ann: User, vault: SecretBox, now: datetime
) -> None:
    for number in range(contacts.MAX_CONTACTS):
        factories.contact(session, ann, address=f"a{number}@x.test")
    with pytest.raises(Conflict, match="Delete one first"):
        add(session, ann, vault, now)


def test_the_last_way_is_not_taken_away(session: Session, now: datetime) -> None:
    bob = factories.user(session, "bob", email=None)
    only = factories.contact(session, bob)
    factories.contact(session, bob, address="typo@x.test", verified_at=None)
    with pytest.raises(Conflict, match="Nothing else reaches you"):
        contacts.delete(session, only, actor=acting(bob), now=now)
    factories.contact(session, bob, address="other@x.test")
    contacts.delete(session, only, actor=acting(bob), now=now)
    assert {each.address for each in contacts.list_contacts(session, bob.id)} == {
        "typo@x.test",
        "other@x.test",
    }


def test_the_address_of_the_profile_is_changed_in_the_profile(
    session: Session, ann: User, now: datetime
) -> None:
    own = factories.contact(session, ann)
    factories.contact(session, ann, address="other@x.test")
    with pytest.raises(Conflict, match="Change it there"):
        contacts.delete(session, own, actor=acting(ann), now=now)


def test_what_an_admin_enters_counts_as_confirmed(session: Session, now: datetime) -> None:
    data = {"username": "dan", "email": "dan@x.test"}
    dan = users.create(session, None, data, actor=ADMIN, now=now)
    (own,) = contacts.list_contacts(session, dan.id)
    assert (own.address, own.verified_at) == ("dan@x.test", now)
    notification_rules.save_rules(
        session, dan, Urgency.HIGH, [{"delay": 0, "contact_id": own.id}], actor=ADMIN, now=now
    )
    users.update(session, dan, {"email": "d@y.test"}, actor=ADMIN, now=now)
    (same,) = contacts.list_contacts(session, dan.id)
    assert (same.id, same.address, same.verified_at) == (own.id, "d@y.test", now)
    assert not notification_rules.read_rules(session, dan.id)[Urgency.HIGH].default


def test_an_address_that_one_enters_oneself_waits_beside_the_one_before(
    session: Session, ann: User, now: datetime
) -> None:
    before = factories.contact(session, ann)
    users.update(session, ann, {"email": "new@x.test"}, actor=acting(ann), now=now)
    old, new = contacts.list_contacts(session, ann.id)
    assert (old.id, old.verified_at) == (before.id, before.verified_at)
    assert (new.address, new.verified_at) == ("new@x.test", None)
    users.update(session, ann, {"email": None}, actor=acting(ann), now=now)
    assert [each.id for each in contacts.list_contacts(session, ann.id)] == [before.id]


def test_rules_are_kept_and_taken_back(session: Session, ann: User, now: datetime) -> None:
    home, work = (factories.contact(session, ann, address=f"{each}@x.test") for each in "hw")
    rules = [{"delay": 0, "contact_id": home.id}, {"delay": 300, "contact_id": work.id}]

    def save(given: list[dict[str, int]]) -> notification_rules.RuleList:
        return notification_rules.save_rules(
            session, ann, Urgency.HIGH, given, actor=acting(ann), now=now
        )

    kept = save(rules)
    assert [(rule.delay, rule.contact_id) for rule in kept.rules] == [(0, home.id), (300, work.id)]
    assert not kept.default
    assert notification_rules.read_rules(session, ann.id)[Urgency.LOW].default
    again = save([])
    assert again.default
    assert [rule.delay for rule in again.rules] == [0, 0]
    entries = session.scalars(select(AuditEntry.action)).all()
    assert entries == ["set_rules", "set_rules"]


def test_rules_go_with_their_contact_and_something_comes_at_once(
    session: Session, ann: User, now: datetime
) -> None:
    home, work = (factories.contact(session, ann, address=f"{each}@x.test") for each in "hw")
    factories.rule(session, home, 0)
    factories.rule(session, work, 300)
    contacts.delete(session, home, actor=acting(ann), now=now)
    found = notification_rules.read_rules(session, ann.id)[Urgency.HIGH]
    assert [(rule.delay, rule.contact_id) for rule in found.rules] == [(0, work.id)]


def test_nobody_keeps_rules_with_somebody_elses_contact(
    session: Session, ann: User, now: datetime
) -> None:
    bobs = factories.contact(session, factories.user(session, "bob"))
    factories.contact(session, ann)
    with pytest.raises(InvalidInput) as caught:
        notification_rules.save_rules(
            session,
            ann,
            Urgency.LOW,
            [{"delay": 0, "contact_id": bobs.id}],
            actor=acting(ann),
            now=now,
        )
    assert list(caught.value.errors) == ["rules.0.contact_id"]
