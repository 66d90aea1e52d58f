"""People and their tokens: create and deactivate users, set passwords, create tokens."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import rich_click as click

from incidentrelay.cli.config import config_option, open_database, read_settings
from incidentrelay.cli.errors import CommandFailed
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.permissions import Scope

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from incidentrelay.models import User
    from incidentrelay.services.tenancy.dependents import Dependents

Function = TypeVar("Function", bound=Callable[..., Any])

_OPERATOR = Actor(name="incidentrelay (command line)", via="cli", is_admin=True)


def _password_option(function: Function) -> Function:
    # There is no option for the password itself: all users of a machine can read the
    # arguments of its processes.
    option = click.option(
        "--password-file",
        type=click.File(encoding="utf-8"),
        help="Take the password from the first line of this file (-: standard input).",
    )
    return option(function)


@click.command()
@config_option
@click.option("--username", required=True, help="The name to sign in with.")
@click.option("--email", default="", help="The e-mail address.")
@click.option("--display-name", default="", help="The name that people see.")
@_password_option
def create_admin(
    config: Path, username: str, email: str, display_name: str, password_file: IO[str] | None
) -> None:
    """Create a site admin.

    The password is asked for at a terminal, and read from standard input otherwise.

    Example: incidentrelay create-admin -c production.ini --username admin
    """
    from incidentrelay.services.tenancy import users as user_service

    data = {"username": username, "is_admin": True, "password": _password(password_file)}
    if email:
        data["email"] = email
    if display_name:
        data["display_name"] = display_name
    with _writing(config) as session:
        user_service.create(session, None, data, actor=_OPERATOR, now=datetime.now(UTC))
    click.echo(f"The admin {username} can sign in now.")


@click.command()
@config_option
@click.option("--username", required=True, help="The user.")
@_password_option
def set_password(config: Path, username: str, password_file: IO[str] | None) -> None:
    """Set a user's password, and sign out all their browsers.

    The password is asked for at a terminal, and read from standard input otherwise.

    Example: incidentrelay set-password -c production.ini --username anna
    """
    from incidentrelay.services.tenancy import users as user_service

    data = {"password": _password(password_file)}
    with _writing(config) as session:
        person = _person(session, username)
        user_service.update(session, person, data, actor=_OPERATOR, now=datetime.now(UTC))
    click.echo(f"{username} has a new password.")


@click.command()
@config_option
@click.option("--username", required=True, help="The user for whom the token acts.")
@click.option("--name", required=True, help="What the token is for.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([str(scope) for scope in Scope]),
    help="What it may do; can be repeated.",
)
@click.option("--group", help="The only group the token can reach (its slug).")
@click.option("--days", type=click.IntRange(1, 3650), help="Days until it expires.")
def create_token(
    config: Path,
    username: str,
    name: str,
    scopes: tuple[str, ...],
    group: str | None,
    days: int | None,
) -> None:
    """Create a personal token, and print it.

    The token cannot be shown again.

    Example: incidentrelay create-token -c production.ini --username anna --name ci
    --scope alerts:read
    """
    from incidentrelay.services.access import tokens

    now = datetime.now(UTC)
    ends = now + timedelta(days=days) if days else None
    data = {"name": name, "scopes": list(dict.fromkeys(scopes)), "group": group, "expires_at": ends}
    with _writing(config) as session:
        person = _person(session, username)
        _, text = tokens.create(session, person, data, actor=_OPERATOR, now=now)
    click.echo(text)


@click.command()
@config_option
@click.option("--username", required=True, help="The user.")
@click.option("--yes", is_flag=True, help="Do not ask, even if others depend on the user.")
def deactivate_user(config: Path, username: str, yes: bool) -> None:
    """Deactivate a user: they are off call, notified of nothing, and cannot sign in.

    First prints what depends on the user, if anything does, and asks. What is open moves
    on: alerts that they have page the person on call.

    Example: incidentrelay deactivate-user -c production.ini --username anna
    """
    from incidentrelay.services.tenancy import dependents
    from incidentrelay.services.tenancy import users as user_service

    with _writing(config) as session:
        found = dependents.list_dependents(session, _person(session, username), datetime.now(UTC))
    lines = [f"{label}: {name}" for label, names in _labels(found) for name in names]
    if lines:
        click.echo("\n".join([f"These depend on {username}:", *lines]))
        _confirm(f"Deactivate {username}?", yes)
    with _writing(config) as session:
        person, now = _person(session, username), datetime.now(UTC)
        data, confirmed = {"active": False}, yes or bool(lines)
        user_service.update(session, person, data, actor=_OPERATOR, now=now, confirm=confirmed)
    click.echo(f"{username} is deactivated.")


def _labels(found: "Dependents") -> "list[tuple[str, Sequence[str | int]]]":
    return [
        ("  in the rotation", found.rotations),
        ("  named by the override", found.overrides),
        ("  notified by the policy", found.policies),
        ("  fallback contact of the team", found.fallback_of),
        ("  has the open alert", found.alerts),
    ]


def _confirm(question: str, yes: bool) -> None:
    """Ask at a terminal; elsewhere --yes is needed."""
    if yes:
        return
    if not _at_terminal():
        raise CommandFailed("Nothing was changed. Repeat this with --yes to do it all the same.")
    click.confirm(question, abort=True)


@contextmanager
def _writing(config: Path) -> "Iterator[Session]":
    """A writing transaction on the (migrated) database of ``config``."""
    database = open_database(read_settings(config), config)
    try:
        with database.write() as session:
            yield session
    finally:
        database.dispose()


def _person(session: "Session", username: str) -> "User":
    from sqlalchemy import select

    from incidentrelay.models import User

    person = session.scalar(select(User).where(User.username == username))
    if person is None:
        raise CommandFailed(f"There is no user {username}.")
    return person


def _at_terminal() -> bool:
    return sys.stdin.isatty()


def _password(file: IO[str] | None) -> str:
    """The password, from a file, the terminal or standard input."""
    if file is None and _at_terminal():
        answer: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return answer
    source = file if file is not None else sys.stdin
    return source.readline().rstrip("\r\n")
