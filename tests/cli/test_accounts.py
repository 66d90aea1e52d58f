"""People and their tokens."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import func, select

from incidentrelay.cli import accounts
from incidentrelay.db import Database
from incidentrelay.models import ApiToken, AuditEntry, User, WebSession
from incidentrelay.services.access import login
from incidentrelay.services.access.secrets import token_digest
from tests.support import factories

Run = Callable[..., Result]

PASSWORD = "correct horse battery"


@pytest.fixture
def admin(run: Run, migrated: Path) -> Path:
    """An installation with the admin root."""
    result = run("create-admin", "-c", migrated, "--username", "root", input=f"{PASSWORD}\n")
    assert result.exit_code == 0, result.stderr
    return migrated


def sign_in(database: Database, password: str) -> str:
    cookie, _ = login.sign_in(
        database, "root", password, address="127.0.0.1", user_agent="", now=datetime.now(UTC)
    )
    return cookie


def test_an_admin_can_sign_in_with_the_password_from_standard_input(
    admin: Path, relay: Database
) -> None:
    assert sign_in(relay, PASSWORD)
    with relay.read() as session:
        user = session.scalars(select(User)).one()
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).first()
    assert (user.username, user.is_admin, user.active) == ("root", True, True)
    assert entry is not None
    assert entry.action == "create"
    assert PASSWORD not in str(entry.diff)


def test_a_password_can_come_from_a_file(
    run: Run, migrated: Path, relay: Database, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\r\nsecond line\n", encoding="utf-8")
    options = ("--username", "root", "--email", "root@example.com", "--display-name", "Ruth")
    result = run("create-admin", "-c", migrated, *options, "--password-file", file)
    assert result.exit_code == 0
    assert sign_in(relay, PASSWORD)
    with relay.read() as session:
        user = session.scalars(select(User)).one()
    assert (user.email, user.display_name) == ("root@example.com", "Ruth")


@pytest.mark.parametrize(
    ("username", "password", "said"),
    [
        ("anna", "short", "password: A password has 8 to 1024 characters."),
        ("anna", "", "password: A password has 8 to 1024 characters."),
        ("No Name", PASSWORD, "username: "),
        ("root", PASSWORD, "There is somebody called “root” already."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    run: Run, admin: Path, relay: Database, username: str, password: str, said: str
) -> None:
    result = run("create-admin", "-c", admin, "--username", username, input=f"{password}\n")
    assert result.exit_code == 1
    assert said in result.stderr
    with relay.read() as session:
        assert session.scalar(select(func.count(User.id))) == 1


def test_a_new_password_signs_all_browsers_out(run: Run, admin: Path, relay: Database) -> None:
    sign_in(relay, PASSWORD)
    result = run("set-password", "-c", admin, "--username", "root", input="a wholly new one\n")
    assert result.exit_code == 0
    with relay.read() as session:
        assert session.scalar(select(func.count(WebSession.id))) == 0
    assert sign_in(relay, "a wholly new one")


def test_a_token_is_the_only_output_and_has_what_was_asked_for(
    run: Run, admin: Path, relay: Database
) -> None:
    options = ("--name", "ci", "--scope", "alerts:read", "--scope", "alerts:write", "--days", "3")
    result = run("create-token", "-c", admin, "--username", "root", *options)
    assert result.exit_code == 0
    text = result.stdout.removesuffix("\n")
    with relay.read() as session:
        token = session.scalars(select(ApiToken)).one()
    assert token.digest == token_digest(text)
    assert token.scopes == ["alerts:read", "alerts:write"]
    assert token.expires_at is not None
    left = token.expires_at - datetime.now(UTC)
    assert timedelta(days=2, hours=23) < left <= timedelta(days=3)


@pytest.mark.parametrize("command", ["set-password", "create-token", "deactivate-user"])
def test_an_unknown_person_is_said(run: Run, admin: Path, command: str) -> None:
    more = ("--name", "ci", "--scope", "alerts:read") if command == "create-token" else ()
    result = run(command, "-c", admin, "--username", "nobody", *more, input=f"{PASSWORD}\n")
    assert result.exit_code == 1
    assert result.stderr == "incidentrelay: There is no user nobody.\n"


def test_a_token_for_an_unknown_group_or_scope_is_refused(run: Run, admin: Path) -> None:
    command = ("create-token", "-c", admin, "--username", "root", "--name", "ci", "--scope")
    refused = run(*command, "alerts:read", "--group", "nope")
    assert refused.exit_code == 1
    assert "group: There is no group with this name." in refused.stderr
    assert run(*command, "alerts:everything").exit_code == 2


@pytest.fixture
def anna(admin: Path, relay: Database) -> Path:
    """Anna is the fallback contact of a team."""
    with relay.write() as session:
        group = factories.group(session, "ops")
        user = factories.user(session, "anna")
        factories.team(session, group, "core", fallback_user_id=user.id)
    return admin


def is_active(relay: Database, name: str) -> bool:
    with relay.read() as session:
        return session.scalars(select(User).where(User.username == name)).one().active


def test_a_user_on_whom_nothing_depends_is_deactivated(
    run: Run, admin: Path, relay: Database
) -> None:
    with relay.write() as session:
        factories.user(session, "ben")
    result = run("deactivate-user", "-c", admin, "--username", "ben")
    assert (result.exit_code, result.stdout) == (0, "ben is deactivated.\n")
    assert not is_active(relay, "ben")


def test_what_depends_on_a_user_is_printed_first(run: Run, anna: Path, relay: Database) -> None:
    command = ("deactivate-user", "-c", anna, "--username", "anna")
    listed = "These depend on anna:\n  fallback contact of the team: ops/core\n"
    refused = run(*command)
    assert (refused.exit_code, refused.stdout) == (1, listed)
    assert "Repeat this with --yes" in refused.stderr
    assert is_active(relay, "anna")
    result = run(*command, "--yes")
    assert (result.exit_code, result.stdout) == (0, f"{listed}anna is deactivated.\n")
    assert not is_active(relay, "anna")
    with relay.read() as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert entry.diff == {"active": [True, False]}


@pytest.mark.parametrize(("answer", "code"), [("n\n", 1), ("y\n", 0)])
def test_at_a_terminal_it_asks(
    run: Run, anna: Path, relay: Database, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    monkeypatch.setattr(accounts, "_at_terminal", lambda: True)
    result = run("deactivate-user", "-c", anna, "--username", "anna", input=answer)
    assert result.exit_code == code
    assert "Deactivate anna? [y/N]" in result.stdout
    assert is_active(relay, "anna") is (code == 1)


def test_the_last_admin_stays(run: Run, admin: Path, relay: Database) -> None:
    result = run("deactivate-user", "-c", admin, "--username", "root", "--yes")
    assert result.exit_code == 1
    assert "This is the last active admin" in result.stderr
    assert is_active(relay, "root")
