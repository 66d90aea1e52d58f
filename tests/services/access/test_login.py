from datetime import datetime, timedelta

import argon2
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from incidentrelay.db import Database
from incidentrelay.domain.errors import InvalidInput, NotAllowed
from incidentrelay.models import AuditEntry, LoginFailure, User, WebSession
from incidentrelay.services.access import login, passwords, secrets
from tests.services.conftest import acting
from tests.support import factories

PASSWORD = "correct horse battery"
IDLE, LIFETIME = timedelta(days=7), timedelta(days=30)


@pytest.fixture(scope="module")
def password_hash() -> str:
    return passwords.hash_password(PASSWORD)


@pytest.fixture
def ann(database: Database, password_hash: str) -> User:
    with database.write() as session:
        return factories.user(session, "ann", password_hash=password_hash)


def sign_in(
    database: Database,
    now: datetime,
    username: str = "ann",
    password: str = PASSWORD,
    address: str = "192.0.2.1",
) -> tuple[str, int]:
    return login.sign_in(
        database, username, password, address=address, user_agent="Firefox\x00 1", now=now
    )


def live(session: Session, cookie: str) -> WebSession | None:
    digest = secrets.token_digest(cookie)
    return session.scalar(select(WebSession).where(WebSession.digest == digest))


@pytest.mark.both_databases
def test_signing_in_opens_a_session(database: Database, ann: User, now: datetime) -> None:
    cookie, user_id = sign_in(database, now, username=" ANN ")
    assert user_id == ann.id
    with database.read() as session:
        row = live(session, cookie)
        assert row is not None
        assert (row.user_id, row.address, row.user_agent) == (ann.id, "192.0.2.1", "Firefox 1")
        assert row.digest == secrets.token_digest(cookie)
        assert session.scalar(select(func.count()).select_from(LoginFailure)) == 0
        assert session.scalars(select(AuditEntry.action)).all() == ["sign_in"]


@pytest.mark.parametrize("username", ["ann", "nobody", "a\x00b", "x" * 5000, "", "ann%"])
def test_all_sign_in_failures_have_the_same_message(
    database: Database, ann: User, now: datetime, username: str
) -> None:
    with pytest.raises(NotAllowed) as caught:
        sign_in(database, now, username, "wrong")
    assert caught.value.message == "The username or the password is wrong."


def test_inactive_users_and_users_without_a_password_cannot_sign_in(
    database: Database, now: datetime, password_hash: str
) -> None:
    with database.write() as session:
        factories.user(session, "gone", password_hash=password_hash, active=False)
        factories.user(session, "new", password_hash=None)
    for username in ("gone", "new"):
        with pytest.raises(NotAllowed, match="is wrong"):
            sign_in(database, now, username)


@pytest.mark.both_databases
@pytest.mark.parametrize("username", ["ann", "nobody"])
def test_too_many_failures_block_a_username(
    database: Database, ann: User, now: datetime, username: str
) -> None:
    for number in range(login.PER_NAME):
        with pytest.raises(NotAllowed, match="is wrong"):
            sign_in(database, now, username.upper(), "wrong", address=f"192.0.2.{number}")
    with pytest.raises(NotAllowed, match="Try again in 15 minutes"):
        sign_in(database, now, username, address="198.51.100.1")
    later = now + timedelta(minutes=14, seconds=30)
    with pytest.raises(NotAllowed, match="Try again in 1 minute\\."):
        sign_in(database, later, username)


def test_the_wait_ends(database: Database, ann: User, now: datetime) -> None:
    for _ in range(login.PER_NAME):
        with pytest.raises(NotAllowed):
            sign_in(database, now, password="wrong")
    assert sign_in(database, now + login.WINDOW)[1] == ann.id


def test_too_many_failures_block_an_address(
    database: Database, ann: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login, "PER_ADDRESS", 3)
    for number in range(3):
        with pytest.raises(NotAllowed, match="is wrong"):
            sign_in(database, now, f"user{number}", "wrong")
    with pytest.raises(NotAllowed, match="Too many"):
        sign_in(database, now)
    assert sign_in(database, now, address="198.51.100.7")[1] == ann.id


def test_a_success_forgets_the_failures_of_the_name(
    database: Database, ann: User, now: datetime
) -> None:
    for _ in range(login.PER_NAME - 1):
        with pytest.raises(NotAllowed):
            sign_in(database, now, password="wrong")
    sign_in(database, now)
    with database.read() as session:
        subjects = set(session.scalars(select(LoginFailure.subject)))
    assert subjects == {"address:192.0.2.1"}


def test_an_old_hash_is_replaced_without_an_edit(database: Database, now: datetime) -> None:
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    with database.write() as session:
        factories.user(session, "ann", password_hash=weak)
    sign_in(database, now)
    with database.read() as session:
        user = session.scalars(select(User)).one()
        assert user.password_hash != weak
        assert passwords.verify(user.password_hash, PASSWORD)
        assert user.version == 1


def test_signing_out_ends_that_session_only(database: Database, ann: User, now: datetime) -> None:
    first, second = sign_in(database, now)[0], sign_in(database, now)[0]
    with database.write() as session:
        login.sign_out(session, first)
        login.sign_out(session, first)
        assert live(session, first) is None
        assert live(session, second) is not None
        login.end_sessions(session, ann)
        assert live(session, second) is None


def test_changing_the_password_ends_the_other_sessions(
    database: Database, ann: User, now: datetime
) -> None:
    here, there = sign_in(database, now)[0], sign_in(database, now)[0]
    with database.write() as session:
        user = session.get_one(User, ann.id)
        login.change_password(
            session,
            user,
            current=PASSWORD,
            new="another good one",
            actor=acting(user),
            now=now,
            keep=here,
        )
        assert live(session, here) is not None
        assert live(session, there) is None
        session.flush()
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.action, entry.diff) == ("change_password", {"password": ["***", "***"]})
    assert sign_in(database, now, password="another good one")[1] == ann.id
    with pytest.raises(NotAllowed):
        sign_in(database, now)


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [("wrong", "another good one", "current_password"), (PASSWORD, "short", "new_password")],
)
def test_a_bad_change_of_password(
    session: Session, password_hash: str, now: datetime, current: str, new: str, field: str
) -> None:
    user = factories.user(session, "ann", password_hash=password_hash)
    with pytest.raises(InvalidInput) as caught:
        login.change_password(session, user, current=current, new=new, actor=acting(user), now=now)
    assert list(caught.value.errors) == [field]
    assert user.password_hash == password_hash


def test_pruning_keeps_what_still_counts(database: Database, ann: User, now: datetime) -> None:
    with pytest.raises(NotAllowed):
        sign_in(database, now, password="wrong")
    sign_in(database, now, address="192.0.2.9")
    with database.write() as session:
        for later, left in ((timedelta(0), 1), (login.WINDOW, 0)):
            login.prune_login_failures(session, now + later, idle=IDLE, lifetime=LIFETIME)
            subject = LoginFailure.subject == "address:192.0.2.1"
            assert session.scalar(select(func.count()).where(subject)) == left
        assert session.scalar(select(func.count()).select_from(WebSession)) == 1
        login.prune_login_failures(session, now + IDLE, idle=IDLE, lifetime=LIFETIME)
        assert session.scalar(select(func.count()).select_from(WebSession)) == 0
