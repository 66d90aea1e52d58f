"""Trying rules out: by the real way, in a hurry."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import Urgency
from incidentrelay.domain.errors import Conflict
from incidentrelay.models import User
from incidentrelay.services.common.secret_box import SecretBox
from incidentrelay.services.delivery import claims, rule_tests
from tests.services.conftest import acting
from tests.support import factories
from tests.support.pager import LEASE_TERMS

pytestmark = pytest.mark.both_databases


@pytest.fixture
def ann(session: Session) -> User:
    return factories.user(session, "ann")


def test_each_way_is_told_a_minute_being_a_second(
    session: Session, ann: User, vault: SecretBox, now: datetime
) -> None:
    for label, delay in (("home", 0), ("work", 300)):
        contact = factories.contact(session, ann, label=label, address=f"{label}@x.test")
        factories.rule(session, contact, delay)
    home, work = rule_tests.send_rule_test(session, ann, Urgency.HIGH, actor=acting(ann), now=now)
    assert (home.next_at, work.next_at) == (now, now + timedelta(seconds=5))
    claim = claims.claim_notification(session, home.id, vault, now, lease=LEASE_TERMS)
    assert claim is not None
    assert claim.config == {"to": ["home@x.test"]}
    assert claim.messages[0].message.title == "Test of your rules for urgent alerts"


def test_the_address_of_the_profile_is_tested_too(
    session: Session, ann: User, now: datetime
) -> None:
    (only,) = rule_tests.send_rule_test(session, ann, Urgency.LOW, actor=acting(ann), now=now)
    assert (only.method, only.contact_id) == ("email", None)


def test_there_must_be_something_to_test(session: Session, now: datetime) -> None:
    bob = factories.user(session, "bob", email=None)
    with pytest.raises(Conflict, match="nothing to test"):
        rule_tests.send_rule_test(session, bob, Urgency.HIGH, actor=acting(bob), now=now)
    assert rule_tests.latest_rule_test(session, bob.id) == []


def test_two_tests_are_not_mixed_up(session: Session, ann: User, now: datetime) -> None:
    factories.contact(session, ann)
    rule_tests.send_rule_test(session, ann, Urgency.HIGH, actor=acting(ann), now=now)
    with pytest.raises(Conflict, match="Wait"):
        rule_tests.send_rule_test(session, ann, Urgency.LOW, actor=acting(ann), now=now)
    later = now + rule_tests.PAUSE
    (newest,) = rule_tests.send_rule_test(session, ann, Urgency.LOW, actor=acting(ann), now=later)
    assert [row.id for row in rule_tests.latest_rule_test(session, ann.id)] == [newest.id]
