"""The last owner and the last admin, if two people act at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from incidentrelay.db import Database
from incidentrelay.domain.enums import GroupRole
from incidentrelay.domain.errors import Conflict
from incidentrelay.models import GroupMember, User
from incidentrelay.services.tenancy import group_members, users
from tests.services.conftest import ADMIN
from tests.support import factories

Deed = Callable[[Session, int], None]


def both_at_once(database: Database, deed: Deed, first: int, second: int) -> list[str]:
    """The outcomes, if the second action begins before the first is committed."""

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
        return ["done", waiting.result()]


@pytest.mark.both_databases
def test_two_admins_do_not_demote_each_other(database: Database, now: datetime) -> None:
    with database.write() as session:
        ids = [factories.user(session, is_admin=True).id for _ in range(2)]

    def demote(session: Session, user_id: int) -> None:
        user = session.get_one(User, user_id)
        users.update(session, user, {"is_admin": False}, actor=ADMIN, now=now)

    done, refused = both_at_once(database, demote, *ids)
    assert done == "done"
    assert "last active admin" in refused
    with database.read() as session:
        assert session.scalar(select(func.count()).where(User.is_admin)) == 1


@pytest.mark.both_databases
def test_two_owners_do_not_remove_each_other(database: Database, now: datetime) -> None:
    with database.write() as session:
        group = factories.group(session)
        ids = [
            factories.group_member(session, group, factories.user(session), GroupRole.OWNER).id
            for _ in range(2)
        ]

    def remove(session: Session, member_id: int) -> None:
        member = session.get_one(GroupMember, member_id)
        group_members.delete(session, member, actor=ADMIN, now=now)

    done, refused = both_at_once(database, remove, *ids)
    assert done == "done"
    assert "last owner" in refused
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(GroupMember)) == 1
