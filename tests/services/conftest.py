"""Shared by the tests of services: actors, a vault, and kinds of channels."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from incidentrelay import models
from incidentrelay.channels.base import ChannelInfo, SendResult
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import GroupRole
from incidentrelay.domain.messages import Envelope
from incidentrelay.services.common.secret_box import SecretBox
from tests.support import factories

ADMIN = Actor(name="root", via="cli", is_admin=True)


def acting(user: models.User) -> Actor:
    return Actor(name=user.username, via="api", user_id=user.id, is_admin=user.is_admin)


class InboxSchema(Schema):
    pass


class HookSchema(Schema):
    url = fields.Url(required=True)
    secret = fields.String()
    token = fields.String()
    note = fields.String()


class Kind:
    """A kind of channel that delivers nothing."""

    def __init__(self, name: str, schema: type[Schema], secrets: frozenset[str]) -> None:
        self.info = ChannelInfo(
            name, name.title(), name, schema, secrets, destinations=frozenset({"url"})
        )

    def send(self, envelope: Envelope, config: Mapping[str, Any]) -> SendResult:
        return SendResult()


class HookKind(Kind):
    def new_secret(self) -> str:
        return "made-by-the-kind"


class Kinds:
    """A registry of kinds like those above."""

    def __init__(self) -> None:
        self._kinds = {
            "inbox": Kind("inbox", InboxSchema, frozenset()),
            "hook": HookKind("hook", HookSchema, frozenset({"secret", "token"})),
            "chat": Kind("chat", HookSchema, frozenset({"url", "token"})),
        }

    def get(self, name: str) -> Kind:
        return self._kinds[name]

    def names(self) -> tuple[str, ...]:
        return tuple(self._kinds)


@pytest.fixture
def kinds() -> Kinds:
    return Kinds()


@pytest.fixture
def vault() -> SecretBox:
    return SecretBox(bytes(range(32)))


@pytest.fixture
def integrations() -> Any:
    return SimpleNamespace(names=lambda: ("alertmanager", "zabbix", "webhook"))


@pytest.fixture
def group(session: Session) -> models.Group:
    return factories.group(session, "sre")


@pytest.fixture
def team(session: Session, group: models.Group) -> models.Team:
    return factories.team(session, group, "core")


@pytest.fixture
def people(session: Session, group: models.Group) -> dict[str, models.User]:
    """ann owns the group, bob and cy respond in it, zoe is a stranger."""
    found = {name: factories.user(session, name) for name in ("ann", "bob", "cy", "zoe")}
    factories.group_member(session, group, found["ann"], GroupRole.OWNER)
    factories.group_member(session, group, found["bob"], GroupRole.RESPONDER)
    factories.group_member(session, group, found["cy"], GroupRole.RESPONDER)
    return found
