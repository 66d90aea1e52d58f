"""A team whose alerts have plans, and its people's browsers."""

from collections.abc import Callable
from typing import Any

import pytest

from incidentrelay.models import User
from incidentrelay.services.access.secrets import TokenKind, new_token
from tests.support import factories
from tests.support import pager as pagers
from tests.support.client import Client
from tests.support.pager import Pager, a_signal


@pytest.fixture
def pager(database: Any) -> Pager:
    """Ann is on call, then bob, then cy; see tests/support/pager.py."""
    return pagers.build(database)


@pytest.fixture
def alert_id(pager: Pager) -> int:
    """An alert that has just paged ann."""
    (verdict,) = pager.take(a_signal("Disk"))
    assert verdict.id is not None
    return verdict.id


@pytest.fixture
def browse(app: Any, pager: Pager) -> Callable[[str], Client]:
    """The browser of one of the pager's people: ``browse("ann").get("/alerts")``."""

    def browser(name: str) -> Client:
        cookie = new_token(TokenKind.SESSION)
        with pager.database.write() as session:
            factories.web_session(session, session.get_one(User, pager.people[name]), cookie)
        return Client(app, cookie=cookie)

    return browser
