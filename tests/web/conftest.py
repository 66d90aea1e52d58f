"""Fixtures of the tests of the web floor."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support import cast as standing_cast
from tests.support.client import Client

CORE = "/api/groups/sre/teams/core"


@pytest.fixture
def core() -> str:
    """The address of the team that most tests are about."""
    return CORE


@pytest.fixture
def with_token(app: Any, cast: standing_cast.Cast) -> Callable[[str], Client]:
    """A client that sends a token: one of gail's by its scope, or any token's text."""

    def client(token: str) -> Client:
        return Client(app, token=cast.tokens.get(token, token))

    return client
