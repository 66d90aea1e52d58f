"""Contacts, if the same person does two things at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from incidentrelay.db import Database
from incidentrelay.domain.errors import Conflict
from incidentrelay.models import ContactMethod, User
from incidentrelay.services.common.secret_box import SecretBox
from incidentrelay.services.people import contacts, verification
from tests.services.conftest import acting
from tests.support import factories

pytestmark = pytest.mark.both_databases


def both_at_once(
    database: Database, deed: Callable[[Session, int], None], first: int, second: int
) -> list[str]:
    """The outcomes, if the second action would finish before the first is committed."""

    def other() -> str:
        try:
            with database.write() as session:
                deed(session, second)
        except Conflict as conflict:
            return conflict.message
        return "done"

    with ThreadPoolExecutor(1) as pool:
        with database.write() as session:
            deed(session, first)
            waiting = pool.submit(other)
            # It finishes at once if nothing holds it up.
            wait([waiting], timeout=0.5)
        return ["done", waiting.result()]


def test_the_last_two_ways_do_not_go_together(database: Database, now: datetime) -> None:
    with database.write() as session:
        ann = factories.user(session, "ann", email=None)
        ids = [factories.contact(session, ann, address=f"{name}@ann.test").id for name in "ab"]

    def delete(session: Session, contact_id: int) -> None:
        row = session.get_one(ContactMethod, contact_id)
        contacts.delete(session, row, actor=acting(session.get_one(User, ann.id)), now=now)

    done, refused = both_at_once(database, delete, *ids)
    assert done == "done"
    assert "Nothing else reaches you" in refused


def test_codes_are_counted_also_when_they_are_asked_for_at_once(
    database: Database, now: datetime, vault: SecretBox
) -> None:
    with database.write() as session:
        ann = factories.user(session, "ann")
        rows = [
            factories.contact(session, ann, address=f"{name}@ann.test", verified_at=None)
            for name in "ab"
        ]
        ids = [row.id for row in rows]
        for _ in range(verification.MOST_CODES - 1):
            verification.send_code(session, rows[0], ann, vault, now)

    def send(session: Session, contact_id: int) -> None:
        row = session.get_one(ContactMethod, contact_id)
        who = acting(session.get_one(User, ann.id))
        contacts.send_code(session, row, actor=who, now=now, vault=vault)

    done, refused = both_at_once(database, send, *ids)
    assert done == "done"
    assert "codes within an hour" in refused
