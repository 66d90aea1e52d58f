"""``create-admin``, ``set-password`` and ``create-token``."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import func, select

from incidentrelay.db import Database
from incidentrelay.models import ApiToken, AuditEntry, User, WebSession
from incidentrelay.services.access import login
from incidentrelay.services.access.secrets import token_digest

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


@pytest.mark.parametrize("command", ["set-password", "create-token"])
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
