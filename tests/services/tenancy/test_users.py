from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import GroupRole
from incidentrelay.domain.errors import Conflict, InvalidInput, NotAllowed
from incidentrelay.models import AuditEntry, User, WebSession
from incidentrelay.services.access import passwords
from incidentrelay.services.tenancy import users
from tests.services.conftest import ADMIN, acting
from tests.support import factories


@pytest.mark.both_databases
def test_somebody_new(session: Session, now: datetime) -> None:
    data = {
        "username": "ann.b_c-1",
        "email": " ann@example.com ",
        "phone": "+33 (6) 12.34-56 78",
        "zone": "Europe/Paris",
        "password": "correct horse",
    }
    user = users.create(session, None, data, actor=ADMIN, now=now)
    session.flush()
    session.refresh(user)
    assert (user.display_name, user.email, user.phone) == (
        "ann.b_c-1",
        "ann@example.com",
        "+33612345678",
    )
    assert (user.active, user.is_admin, user.zone) == (True, False, "Europe/Paris")
    assert passwords.verify(user.password_hash, "correct horse")
    entry = session.scalars(select(AuditEntry)).one()
    assert entry.diff["password"] == [None, "***"]
    assert "password_hash" not in entry.diff


def test_without_a_password_nobody_signs_in(session: Session, now: datetime) -> None:
    user = users.create(session, None, {"username": "ann"}, actor=ADMIN, now=now)
    assert (user.password_hash, user.email, user.zone) == (None, None, "UTC")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "Ann"),
        ("username", ".ann"),
        ("username", "me"),
        ("username", "x" * 64),
        ("username", "é"),
        ("username", "a/b"),
        ("username", None),
        ("email", "ann"),
        ("email", "ann@"),
        ("email", "a b@example.com"),
        ("email", "ann@example.com\nBcc: x@example.com"),
        ("email", "ann..b@example.com"),
        ("email", "ann@-example.com"),
        ("email", f"ann@{'x' * 260}.com"),
        ("email", 5),
        ("phone", "0612345678"),
        ("phone", "+0612345678"),
        ("phone", "+331234567890123456"),
        ("phone", "+33 six"),
        ("phone", 33),
        ("zone", "Paris"),
        ("password", "short"),
        ("password", "ann-margret"),
        ("display_name", ""),
        ("is_admin", "yes"),
        ("password_hash", "x"),
    ],
)
def test_bad_fields(session: Session, now: datetime, field: str, value: object) -> None:
    data = {"username": "ann-margret", field: value}
    with pytest.raises(InvalidInput) as caught:
        users.create(session, None, data, actor=ADMIN, now=now)
    assert list(caught.value.errors) == [field]


@pytest.mark.parametrize("value", ["", None])
def test_contacts_can_be_taken_away(session: Session, now: datetime, value: str | None) -> None:
    user = factories.user(session, "ann", phone="+33612345678")
    users.update(session, user, {"email": value, "phone": value}, actor=ADMIN, now=now)
    assert (user.email, user.phone) == (None, None)


def test_a_username_is_taken_once_and_never_changes(session: Session, now: datetime) -> None:
    user = factories.user(session, "ann")
    with pytest.raises(Conflict, match="“ann”"):
        users.create(session, None, {"username": "ann"}, actor=ADMIN, now=now)
    users.update(session, user, {"username": "ann"}, actor=ADMIN, now=now)
    with pytest.raises(InvalidInput) as caught:
        users.update(session, user, {"username": "bob"}, actor=ADMIN, now=now)
    assert list(caught.value.errors) == ["username"]


def test_one_changes_oneself_but_not_ones_powers(session: Session, now: datetime) -> None:
    user = factories.user(session, "ann", is_admin=True)
    factories.user(session, "root", is_admin=True)
    same = {"display_name": "Ann", "active": True, "is_admin": True}
    users.update(session, user, same, actor=acting(user), now=now)
    for field, value in (("active", False), ("is_admin", False), ("password", "correct horse")):
        with pytest.raises(NotAllowed, match=field):
            users.update(session, user, {field: value}, actor=acting(user), now=now)
    with pytest.raises(NotAllowed, match="cannot delete yourself"):
        users.delete(session, user, actor=acting(user), now=now)
    assert (user.active, user.is_admin, user.password_hash) == (True, True, None)


@pytest.mark.parametrize("data", [{"active": False}, {"password": "correct horse"}])
def test_sessions_end_with_the_password_and_the_activity(
    session: Session, now: datetime, data: dict[str, object]
) -> None:
    user, other = factories.user(session, "ann"), factories.user(session, "bob")
    factories.web_session(session, user, "a")
    factories.web_session(session, other, "b")
    users.update(session, user, {"display_name": "Ann A."}, actor=ADMIN, now=now)
    assert len(session.scalars(select(WebSession.id)).all()) == 2
    users.update(session, user, data, actor=ADMIN, now=now)
    assert session.scalars(select(WebSession.user_id)).all() == [other.id]
    session.flush()
    last = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert last is not None
    expected = {"active": [True, False]} if "active" in data else {"password": ["***", "***"]}
    assert last.diff == expected


@pytest.mark.both_databases
def test_the_last_active_admin_stays(session: Session, now: datetime) -> None:
    root = factories.user(session, "root", is_admin=True)
    factories.user(session, "former", is_admin=True, active=False)
    for data in ({"active": False}, {"is_admin": False}):
        with pytest.raises(Conflict, match="last active admin"):
            users.update(session, root, data, actor=ADMIN, now=now)
    with pytest.raises(Conflict, match="last active admin"):
        users.delete(session, root, actor=ADMIN, now=now)
    factories.user(session, "second", is_admin=True)
    users.update(session, root, {"is_admin": False}, actor=ADMIN, now=now)
    assert not root.is_admin


def test_who_left_no_trace_is_deleted(session: Session, now: datetime) -> None:
    user = factories.user(session, "ann")
    factories.group_member(session, factories.group(session), user)
    users.delete(session, user, actor=ADMIN, now=now)
    assert session.scalars(select(User)).all() == []


def test_whom_others_need_is_not_deleted(session: Session, now: datetime) -> None:
    group = factories.group(session, "sre")
    team = factories.team(session, group, "core")
    owner, past, standin, notified = (
        factories.user(session, name) for name in ("owner", "past", "standin", "notified")
    )
    factories.group_member(session, group, owner, GroupRole.OWNER)
    rotation = factories.rotation(session, team, members=(past,))
    factories.revision(session, rotation, (), effective_from=now)
    factories.override(session, rotation, standin)
    step = {"delay": 0, "targets": [{"kind": "user", "id": notified.id}]}
    factories.policy(session, team, "night", steps=[step])
    for user, reason in (
        (owner, "last owner of the group sre"),
        (past, "deactivate"),
        (standin, "deactivate"),
        (notified, "core/night"),
    ):
        with pytest.raises(Conflict, match=reason):
            users.delete(session, user, actor=ADMIN, now=now)
