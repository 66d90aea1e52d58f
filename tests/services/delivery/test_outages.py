"""Outages: each personal method that the registry has can be in the banner."""

from sqlalchemy.orm import Session

from incidentrelay.models import Provider
from incidentrelay.services.access.memberships import Roles
from incidentrelay.services.delivery import outages
from tests.services.conftest import Kinds
from tests.support.factories import NOW

NOBODY = Roles(is_admin=False, groups={}, teams={})


def test_every_method_that_people_share_is_named(session: Session) -> None:
    for name in ("hook", "channel:1", "long gone"):
        session.add(Provider(name=name, failures=9, since=NOW, open_until=NOW, reason="It hangs."))
    session.flush()
    found = outages.list_outages(session, NOBODY, Kinds())
    assert [(each.name, each.provider, each.reason) for each in found] == [
        ("Hook", "hook", "It hangs.")
    ]
