"""``demo-data``, ``openapi``, ``settings``, ``permissions`` and ``generate-secret``."""

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result
from sqlalchemy import select

from incidentrelay.db import Database
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Route
from incidentrelay.services.access.secrets import token_digest
from incidentrelay.settings.declaration import KEYS
from incidentrelay.settings.key import PREFIX
from incidentrelay.settings.loading import load

Run = Callable[..., Result]


def test_demo_data_prints_tokens_that_work_and_is_made_once(
    run: Run, migrated: Path, relay: Database
) -> None:
    result = run("demo-data", "-c", migrated, "--json")
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert set(report) == {"admin", "api_token", "routes"}
    assert report["admin"]["username"] == "admin"
    assert {route["source"] for route in report["routes"]} == {"alertmanager", "zabbix", "webhook"}
    with relay.read() as session:
        digests = set(session.scalars(select(Route.token_digest)))
    assert {token_digest(route["token"]) for route in report["routes"]} == digests
    again = run("demo-data", "-c", migrated)
    assert again.exit_code == 1
    assert "demo data is for an empty installation" in again.stderr


def test_demo_data_for_people_has_the_password_and_every_token(run: Run, migrated: Path) -> None:
    lines = run("demo-data", "-c", migrated).stdout.splitlines()
    assert lines[0] == "User name:  admin"
    assert lines[1].startswith("Password:   ")
    assert lines[2].startswith("API token:  ir_u_")
    assert sum("ir_r_" in line for line in lines) == 3


def test_openapi_is_the_document_of_the_running_program(run: Run) -> None:
    document = json.loads(run("openapi").stdout)
    assert document["openapi"].startswith("3.1")
    assert "/api/integrations/{source}" in document["paths"]


def test_every_setting_is_listed_with_its_variable(run: Run) -> None:
    plain, markdown = run("settings").stdout, run("settings", "--markdown").stdout
    for key in KEYS:
        assert f"{PREFIX}{key.name}  (" in plain
        assert key.env in plain
        assert f"| `{PREFIX}{key.name}`" in markdown


def test_every_permission_is_listed(run: Run) -> None:
    rows = run("permissions").stdout.splitlines()
    assert [row.split("|")[1].strip(" `") for row in rows[2:]] == list(Permission)


def test_a_generated_secret_can_be_used_and_is_new_each_time(run: Run) -> None:
    first, second = (run("generate-secret").stdout.strip() for _ in range(2))
    assert first != second
    ini = {
        f"{PREFIX}public_url": "http://localhost",
        f"{PREFIX}secret_key": first,
        f"{PREFIX}sqlalchemy.url": "sqlite:///x",
        f"{PREFIX}huey.url": "memory:",
    }
    assert load(ini, {}).secret_key == first
