"""What all commands have in common: help, exit codes, and how they fail."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import rich_click as click
from click.testing import Result

from incidentrelay import __version__
from incidentrelay.cli.main import COMMANDS, main

Run = Callable[..., Result]

NEED_A_DATABASE = {
    "serve": (),
    "worker": (),
    "check-schema": (),
    "create-admin": ("--username", "root"),
    "set-password": ("--username", "root"),
    "create-token": ("--username", "root", "--name", "ci", "--scope", "alerts:read"),
    "demo-data": (),
}
GOOD_KEY = "incidentrelay.secret_key = 0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help_with_an_example(run: Run, name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert f"Example: incidentrelay {name}" in result.stdout


@pytest.mark.parametrize("words", [["--help"], ["serve", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    """Loading the whole program takes a second; a typo must not cost that."""
    code = (
        "import sys, atexit\n"
        "from incidentrelay.cli.main import main\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        f"main({words!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    heavy = {"sqlalchemy", "pyramid", "marshmallow", "cryptography", "httpx2", "huey", "jinja2"}
    assert heavy & set(done.stderr.split()) == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_takes_a_password_as_an_argument(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert "--password" not in {word for option in command.params for word in option.opts}


@pytest.mark.parametrize("name", [*NEED_A_DATABASE, "migrate"])
def test_commands_that_need_the_ini_file_take_it_from_the_environment(
    run: Run, ini: Path, name: str
) -> None:
    arguments = NEED_A_DATABASE.get(name, ())
    assert run(name, *arguments).exit_code == 2
    result = run(name, *arguments, env={"INCIDENTRELAY_CONFIG": str(ini)}, input="x\n")
    assert result.exit_code == (0 if name == "migrate" else 1)


@pytest.mark.parametrize(("name", "arguments"), NEED_A_DATABASE.items())
def test_nothing_works_before_migrating_and_the_message_has_the_command(
    run: Run, ini: Path, name: str, arguments: tuple[str, ...]
) -> None:
    result = run(name, "-c", ini, *arguments, input="correct horse battery\n")
    assert result.exit_code == 1
    assert result.stderr == (
        f"incidentrelay: The database is empty; run incidentrelay migrate -c {ini}\n"
    )
    assert result.stdout == ""


def test_the_version_and_an_unknown_command(run: Run) -> None:
    assert __version__ in run("--version").stdout
    assert run("no-such-command").exit_code == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "has no section [app:main]"),
        ("gibberish", "cannot be read"),
        ("[app:main]\nx = %(nope)s\n", "cannot be read"),
        ("[app:main]\nincidentrelay.nope = 1\n", "There is no setting incidentrelay.nope"),
        ("[app:main]\n", "incidentrelay.public_url is not set"),
        (
            f"[app:main]\nincidentrelay.public_url = relay.example\n{GOOD_KEY}\n",
            "incidentrelay.public_url 'relay.example' is invalid",
        ),
        (
            "[app:main]\nincidentrelay.public_url = https://relay.example\n"
            "incidentrelay.secret_key = development-only-0123456789abcdefghijk\n"
            "incidentrelay.sqlalchemy.url = sqlite:///x\nincidentrelay.huey.url = memory:\n",
            "the public one from development.ini",
        ),
    ],
)
def test_a_bad_ini_file_is_one_sentence(run: Run, tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "bad.ini"
    path.write_text(content, encoding="utf-8")
    result = run("migrate", "-c", path)
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.startswith("incidentrelay: ")
    assert result.stderr.count("\n") == 1


def test_the_environment_overrides_the_ini_file(run: Run, ini: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    environment = {"INCIDENTRELAY_SQLALCHEMY_URL": f"sqlite:///{other}"}
    assert run("migrate", "-c", ini, env=environment).exit_code == 0
    assert other.is_file()
    assert not (tmp_path / "relay.sqlite").exists()


def test_a_database_that_does_not_answer_is_one_sentence_without_the_password(
    run: Run, ini: Path
) -> None:
    address = "postgresql+psycopg://somebody:s3cret-word@127.0.0.1:1/relay"
    result = run("migrate", "-c", ini, env={"INCIDENTRELAY_SQLALCHEMY_URL": address})
    assert result.exit_code == 1
    assert "The database cannot be used: " in result.stderr
    assert "s3cret-word" not in result.stderr
    assert result.stderr.count("\n") == 1


def test_faults_of_the_program_are_not_hidden(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_length: int) -> str:
        raise LookupError("a bug")

    monkeypatch.setattr("incidentrelay.cli.reference.secrets.token_urlsafe", broken)
    with pytest.raises(LookupError, match="a bug"):
        run("generate-secret")
