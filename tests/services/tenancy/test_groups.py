from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.db import Database
from incidentrelay.domain.errors import Conflict, InvalidInput, StaleVersion
from incidentrelay.models import ApiToken, AuditEntry, Group, GroupMember
from incidentrelay.services.common import resources
from incidentrelay.services.tenancy import groups
from tests.services.conftest import ADMIN
from tests.support import factories


@pytest.mark.both_databases
def test_a_group_is_made_and_changed(session: Session, now: datetime) -> None:
    group = groups.create(session, None, {"name": " Site Reliability "}, actor=ADMIN, now=now)
    assert (group.slug, group.name, group.active, group.version) == (
        "site-reliability",
        "Site Reliability",
        True,
        1,
    )
    later = now + timedelta(hours=1)
    data = {"slug": "site-reliability", "active": False, "name": "Site Reliability"}
    groups.update(session, group, data, actor=ADMIN, now=later)
    assert (group.active, group.version, group.updated_at) == (False, 2, later)
    session.flush()
    lines = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(line.action, line.diff) for line in lines] == [
        ("create", {"name": [None, "Site Reliability"], "slug": [None, "site-reliability"]}),
        ("update", {"active": [True, False]}),
    ]


def test_nothing_changed_is_no_edit(session: Session, group: Group, now: datetime) -> None:
    groups.update(session, group, {"name": group.name}, actor=ADMIN, now=now + timedelta(1))
    session.flush()
    assert (group.version, group.updated_at) == (1, now)
    assert session.scalars(select(AuditEntry)).all() == []


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"name": "数据"}, "slug"),
        ({"name": "New"}, "slug"),
        ({}, "slug"),
        ({"name": "X", "slug": "x", "owner": "me"}, "owner"),
        ({"name": "X", "active": "yes"}, "active"),
    ],
)
def test_bad_groups(session: Session, now: datetime, data: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        groups.create(session, None, data, actor=ADMIN, now=now)
    assert field in caught.value.errors


def test_a_slug_never_changes(session: Session, group: Group, now: datetime) -> None:
    with pytest.raises(InvalidInput) as caught:
        groups.update(session, group, {"slug": "other"}, actor=ADMIN, now=now)
    assert list(caught.value.errors) == ["slug"]


def test_a_slug_is_taken_once(session: Session, group: Group, now: datetime) -> None:
    with pytest.raises(Conflict, match="“sre”"):
        groups.create(session, None, {"name": "SRE"}, actor=ADMIN, now=now)


@pytest.mark.both_databases
def test_a_slug_that_is_taken_in_the_same_moment_is_a_conflict(
    session: Session, now: datetime
) -> None:
    factories.group(session, "apps")
    twin = Group(slug="apps", name="Apps", created_at=now, updated_at=now)
    with pytest.raises(Conflict, match="taken"):
        resources.insert_row(session, twin, conflict="It is taken.")
    # The transaction can continue.
    assert session.scalars(select(Group.slug)).all() == ["apps"]


def test_an_edit_of_an_old_version_is_refused(database: Database, now: datetime) -> None:
    with database.write() as session:
        group_id = factories.group(session, "sre").id
    reader = database.reader()
    old = reader.get_one(Group, group_id)
    reader.commit()
    with database.write() as session:
        groups.update(
            session, session.get_one(Group, group_id), {"name": "A"}, actor=ADMIN, now=now
        )
    with pytest.raises(StaleVersion):
        groups.update(reader, old, {"name": "B"}, actor=ADMIN, now=now)
    reader.close()


def test_a_group_goes_with_its_memberships_and_bound_tokens(
    session: Session, now: datetime
) -> None:
    group, user = factories.group(session, "sre"), factories.user(session, "ann")
    factories.group_member(session, group, user)
    factories.api_token(session, user, "t", ("alerts:read",), group_id=group.id)
    groups.delete(session, group, actor=ADMIN, now=now)
    session.flush()
    for model in (Group, GroupMember, ApiToken):
        assert session.scalars(select(model)).all() == []
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.subject, entry.group_id) == ("delete", "sre", None)


def test_a_group_with_teams_stays(session: Session, group: Group, now: datetime) -> None:
    for slug in ("a", "b", "c", "d"):
        factories.team(session, group, slug)
    with pytest.raises(Conflict, match=r"a, b, c, …"):
        groups.delete(session, group, actor=ADMIN, now=now)
