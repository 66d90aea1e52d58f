from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.db import Database
from incidentrelay.domain.errors import Conflict, StaleVersion
from incidentrelay.models import Group
from incidentrelay.services.common import resources
from incidentrelay.services.tenancy import groups
from tests.services.conftest import ADMIN
from tests.support import factories


def test_only_what_differs_is_changed(group: Group) -> None:
    values = {"name": "Sre", "description": "New"}
    assert resources.change_row(group, values) == {"description": ["", "New"]}
    assert resources.change_row(group, values) == {}


def test_fixed_fields_that_repeat_are_dropped(group: Group) -> None:
    assert resources.without_fixed(group, {"slug": "sre", "name": "X"}) == {"name": "X"}
    assert resources.without_fixed(group, {"slug": "x"}) == {"slug": "x"}


@pytest.mark.both_databases
def test_what_others_refer_to_cannot_be_removed(session: Session) -> None:
    group = factories.group(session, "sre")
    factories.team(session, group)
    with pytest.raises(Conflict, match="It has teams"):
        resources.remove_row(session, group, conflict="It has teams.")
    # The transaction can continue.
    assert session.scalars(select(Group.slug)).all() == ["sre"]


@pytest.mark.both_databases
def test_an_old_version_is_not_removed(database: Database, now: datetime) -> None:
    with database.write() as session:
        group_id = factories.group(session, "sre").id
    old = database.reader()
    row = old.get_one(Group, group_id)
    old.commit()
    with database.write() as session:
        group = session.get_one(Group, group_id)
        groups.update(session, group, {"name": "New"}, actor=ADMIN, now=now)
    with pytest.raises(StaleVersion):
        resources.remove_row(old, row, conflict="It is used.")
    old.close()
