from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from incidentrelay.db import Database
from incidentrelay.domain.permissions import Scope
from incidentrelay.models import ApiToken, Rotation, Route, User
from incidentrelay.services.access import login
from incidentrelay.services.access.secrets import token_digest
from incidentrelay.services.common.secret_box import SecretBox
from incidentrelay.services.oncall import current as on_call_now
from incidentrelay.services.operations import demo
from tests.services.conftest import Kinds
from tests.support import factories


@pytest.mark.both_databases
def test_the_demo_user_is_on_call(
    database: Database, now: datetime, kinds: Kinds, vault: SecretBox, integrations: Any
) -> None:
    with database.write() as session:
        result = demo.create_demo(
            session, now=now, registry=kinds, vault=vault, integrations=integrations
        )
    assert result is not None
    shown = result.to_json()
    assert set(shown) == {"admin", "api_token", "routes"}
    assert [route["name"] for route in shown["routes"]] == ["alertmanager", "zabbix", "webhook"]
    assert set(shown["routes"][0]) == {"name", "source", "group", "team", "token"}
    with database.read() as session:
        rotation = session.scalars(select(Rotation)).one()
        (row,) = on_call_now.who_is_on_call(session, [rotation], now)
        assert row.user is not None
        assert row.next_user is not None
        assert (row.user.username, row.next_user.username) == ("admin", "anna")
        tokens = {token_digest(route["token"]) for route in shown["routes"]}
        assert set(session.scalars(select(Route.token_digest))) == tokens
        token = session.scalars(select(ApiToken)).one()
        assert token.digest == token_digest(shown["api_token"])
        assert set(token.scopes) == set(Scope)
        with_passwords = session.scalars(
            select(User.username).where(User.password_hash.is_not(None))
        )
        assert with_passwords.all() == ["admin"]
    name, password = shown["admin"]["username"], shown["admin"]["password"]
    assert login.sign_in(database, name, password, address="", user_agent="", now=now)[0]


def test_the_demo_password_can_be_set(
    database: Database, now: datetime, kinds: Kinds, vault: SecretBox, integrations: Any
) -> None:
    with database.write() as session:
        result = demo.create_demo(
            session,
            now=now,
            registry=kinds,
            vault=vault,
            integrations=integrations,
            admin_password="correct horse",
        )
    assert result is not None
    assert result.password == "correct horse"


def test_no_demo_data_if_there_are_users(
    database: Database, now: datetime, kinds: Kinds, vault: SecretBox, integrations: Any
) -> None:
    with database.write() as session:
        factories.user(session, "ann")
        result = demo.create_demo(
            session, now=now, registry=kinds, vault=vault, integrations=integrations
        )
        assert result is None
        assert session.scalars(select(User.username)).all() == ["ann"]
