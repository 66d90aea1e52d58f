"""The ini files that come with the program."""

import configparser
import logging.config
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from waitress.adjustments import Adjustments

from incidentrelay.cli.config import ini_loader, read_settings
from incidentrelay.log_setup import JSONFormatter
from incidentrelay.settings.key import ConfigurationError

ROOT = Path(__file__).resolve().parents[2]
DEVELOPMENT, PRODUCTION = ROOT / "development.ini", ROOT / "production.ini"


def test_development_works_as_it_stands() -> None:
    settings = read_settings(DEVELOPMENT)
    assert settings.sqlalchemy_url == f"sqlite:///{ROOT}/data/development.sqlite"
    assert settings.log_format == "text"


def test_the_key_of_development_is_refused_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INCIDENTRELAY_PUBLIC_URL", "https://relay.example.com")
    with pytest.raises(ConfigurationError, match="incidentrelay generate-secret"):
        read_settings(DEVELOPMENT)


def test_production_says_one_after_another_what_must_be_set(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    result = run("serve", "-c", PRODUCTION)
    assert result.exit_code == 1
    assert "incidentrelay.public_url is not set" in result.stderr
    monkeypatch.setenv("INCIDENTRELAY_PUBLIC_URL", "https://relay.example.com")
    result = run("serve", "-c", PRODUCTION)
    assert result.exit_code == 1
    assert "cannot read the file /etc/incidentrelay/secret_key" in result.stderr
    empty = tmp_path / "secret_key"
    empty.write_text("", encoding="utf-8")
    monkeypatch.setenv("INCIDENTRELAY_SECRET_KEY_FILE", str(empty))
    result = run("serve", "-c", PRODUCTION)
    assert result.exit_code == 1
    assert "incidentrelay.secret_key is not set" in result.stderr
    assert "Generate one: " in result.stderr


def test_production_has_no_secret() -> None:
    text = PRODUCTION.read_text(encoding="utf-8")
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    section = parser["app:main"]
    assert "incidentrelay.secret_key" not in section
    assert section["incidentrelay.public_url"] == ""


@pytest.mark.parametrize("path", [DEVELOPMENT, PRODUCTION])
def test_the_server_options_are_what_waitress_knows(path: Path) -> None:
    options = dict(ini_loader(path).get_settings("server:main"))
    del options["use"]
    adjustments = Adjustments(**options)
    assert adjustments.threads == 8
    assert not adjustments.ident


def test_the_body_limit_of_the_server_lets_the_program_answer_itself() -> None:
    options = ini_loader(PRODUCTION).get_settings("server:main")
    assert int(options["max_request_body_size"]) > read_settings(DEVELOPMENT).intake_max_body


def test_pserve_logs_json_too() -> None:
    logging.config.fileConfig(PRODUCTION, {"here": ""}, disable_existing_loggers=False)
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler.formatter, JSONFormatter)
