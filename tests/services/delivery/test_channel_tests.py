"""Tests of channels that are sent one after the other."""

from datetime import datetime

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from incidentrelay.models import Notification, Team
from incidentrelay.services.delivery import channel_tests
from tests.services.conftest import ADMIN
from tests.support import factories


@pytest.mark.both_databases
def test_a_test_is_new_where_old_ones_are_forgotten(
    session: Session, team: Team, now: datetime
) -> None:
    channel = factories.channel(session, team)
    made = [
        channel_tests.send_channel_test(session, channel, actor=ADMIN, now=now) for _ in range(3)
    ]
    session.execute(delete(Notification).where(Notification.id == made[0].id))
    after = channel_tests.send_channel_test(session, channel, actor=ADMIN, now=now)
    assert after.uid not in {each.uid for each in made}
