from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.actors import Actor
from incidentrelay.models import (
    ApiToken,
    AuditEntry,
    GroupMember,
    Heartbeat,
    RotationOverride,
    RouteChannel,
)
from incidentrelay.services.common import audit
from tests.support import factories


def test_a_line_says_who_did_what_to_what(session: Session, now: datetime) -> None:
    group = factories.group(session, "sre")
    user = factories.user(session, "ann")
    actor = Actor(name="ann", via="api", user_id=user.id, request_id="r1")
    diff = {"at": [None, now], "times": [[time(9)], {1: timedelta(1).days}]}
    audit.record_change(session, actor, "update", group, diff, now=now, group_id=group.id)
    session.flush()
    session.expire_all()
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.at, entry.actor, entry.actor_id, entry.action) == (now, "ann", user.id, "update")
    assert (entry.subject_kind, entry.subject, entry.group_id) == ("group", "sre", group.id)
    assert entry.request_id == "r1"
    assert entry.diff == {"at": [None, now.isoformat()], "times": [["09:00:00"], {"1": 1}]}


def test_kinds_are_the_nouns_of_the_product() -> None:
    assert audit.kind_of(ApiToken()) == "token"
    assert audit.kind_of(RotationOverride()) == "override"
    assert audit.kind_of(GroupMember()) == "group_member"


def test_names() -> None:
    assert audit.name_of(ApiToken(name="CI")) == "CI"
    assert audit.name_of(GroupMember(id=4)) == "4"
    assert audit.name_of(Heartbeat(name="worker")) == "worker"
    with pytest.raises(TypeError, match="RouteChannel"):
        audit.name_of(RouteChannel())
