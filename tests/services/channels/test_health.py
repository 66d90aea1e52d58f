"""The health of a channel: its last success, its last failure, and since when it fails."""

from datetime import datetime, timedelta

import pytest

from incidentrelay.db import Database
from incidentrelay.domain.enums import DeliveryState
from incidentrelay.services.channels import health as channel_health
from incidentrelay.services.channels.health import ChannelHealth
from tests.support import factories
from tests.support.factories import NOW

pytestmark = pytest.mark.both_databases

SENT, FAILED, RETRY = DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.RETRY


def at(minute: int) -> datetime:
    return NOW + timedelta(minutes=minute)


@pytest.mark.parametrize(
    ("story", "health"),
    [
        ([], ChannelHealth()),
        ([RETRY], ChannelHealth()),
        ([SENT], ChannelHealth(at(0))),
        ([FAILED], ChannelHealth(None, at(0), "why 0", at(0))),
        ([SENT, FAILED, FAILED, RETRY], ChannelHealth(at(0), at(2), "why 2", at(1))),
        ([FAILED, SENT, RETRY], ChannelHealth(at(1), at(0), "why 0", None)),
    ],
)
def test_it_is_read_from_the_outbox(
    database: Database, story: list[DeliveryState], health: ChannelHealth
) -> None:
    with database.write() as session:
        team = factories.team(session, factories.group(session, "sre"), "core")
        alert = factories.alert(session, team)
        mine, other = factories.channel(session, team), factories.channel(session, team)
        factories.notification(session, alert, channel_id=other.id, state=FAILED, finished_at=at(9))
        for number, state in enumerate(story):
            factories.notification(
                session,
                alert,
                channel_id=mine.id,
                state=state,
                finished_at=None if state is RETRY else at(number),
                last_error="" if state is SENT else f"why {number}",
            )
        assert channel_health.channel_health(session, [mine.id]) == {mine.id: health}
        assert channel_health.channel_health(session, []) == {}
