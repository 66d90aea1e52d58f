"""For whom a signed link still stands; the page itself is tested with the console."""

from datetime import timedelta
from typing import Any

import pytest

from incidentrelay.domain.errors import NotAllowed
from incidentrelay.services.access.action_links import ActLink
from incidentrelay.services.alerts.action_page import open_action_link
from tests.support.factories import NOW

ALL = {"root", "gail", "eddy", "rex", "vera", "mona", "tara", "otto"}


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_link_opens_for_those_who_may_respond(database: Any, cast: Any, name: str) -> None:
    may = name in {"root", "gail", "eddy", "rex", "mona", "tara"}
    alert = cast.teams["core"].alert
    link = ActLink(alert_id=alert.id, user_id=cast.users[name].id, signed_at=NOW)
    with database.read() as session:
        if may:
            user, found = open_action_link(session, link)
            assert (user.username, found.id, found.team.group.slug) == (name, alert.id, "sre")
        else:
            with pytest.raises(NotAllowed):
                open_action_link(session, link)


@pytest.mark.parametrize(("alert", "user"), [(999_999, None), (None, 999_999)])
def test_what_is_gone_opens_nothing(
    database: Any, cast: Any, alert: int | None, user: int | None
) -> None:
    link = ActLink(
        alert_id=alert or cast.teams["core"].alert.id,
        user_id=user or cast.users["rex"].id,
        signed_at=NOW - timedelta(hours=1),
    )
    with database.read() as session, pytest.raises(NotAllowed):
        open_action_link(session, link)
