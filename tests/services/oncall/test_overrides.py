from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.models import AuditEntry, Rotation, RotationOverride, Team, User
from incidentrelay.services.oncall import overrides
from tests.services.conftest import ADMIN, acting
from tests.support import factories

People = dict[str, User]
HOUR = timedelta(hours=1)


@pytest.fixture
def rotation(session: Session, team: Team, people: People) -> Rotation:
    return factories.rotation(session, team, "primary", (people["bob"],))


def make(session: Session, rotation: Rotation, now: datetime, **data: Any) -> RotationOverride:
    given = {"user": "cy", "starts_at": now + HOUR, "ends_at": now + 2 * HOUR, **data}
    return overrides.create(session, rotation, given, actor=ADMIN, now=now)


@pytest.mark.both_databases
def test_an_override_puts_a_person_on_call(session: Session, now: datetime) -> None:
    team = factories.team(session, factories.group(session, "sre"), "core")
    rotation = factories.rotation(session, team, "primary")
    cy = factories.user(session, "cy")
    factories.group_member(session, team.group, cy)
    data = {"user": "cy", "ends_at": now + HOUR, "reason": "Swap"}
    override = overrides.create(session, rotation, data, actor=acting(cy), now=now)
    session.flush()
    session.refresh(override)
    assert (override.starts_at, override.ends_at, override.user_id) == (now, now + HOUR, cy.id)
    assert (override.created_by_id, override.reason) == (cy.id, "Swap")
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.subject_kind, entry.subject) == ("override", f"core/primary/{override.id}")
    assert entry.diff["user"] == [None, "cy"]


def test_an_override_never_starts_in_the_past(
    session: Session, rotation: Rotation, now: datetime
) -> None:
    assert make(session, rotation, now, starts_at=now - HOUR).starts_at == now


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"user": "zoe"}, "user"),
        ({"user": None}, "user"),
        ({"ends_at": -1}, "ends_at"),
        ({"ends_at": 1}, "ends_at"),
        ({"ends_at": 24 * 400}, "ends_at"),
        ({"starts_at": "now"}, "starts_at"),
    ],
)
def test_bad_overrides(
    session: Session, rotation: Rotation, now: datetime, data: dict[str, Any], field: str
) -> None:
    given = {k: now + v * HOUR if isinstance(v, int) else v for k, v in data.items()}
    with pytest.raises(InvalidInput) as caught:
        make(session, rotation, now, **given)
    assert list(caught.value.errors) == [field]


def test_a_future_override_can_be_changed(
    session: Session, rotation: Rotation, people: People, now: datetime
) -> None:
    override = make(session, rotation, now)
    data = {"user": "ann", "starts_at": now - HOUR, "ends_at": now + 3 * HOUR}
    overrides.update(session, override, data, actor=ADMIN, now=now)
    assert override.user.username == "ann"
    assert (override.starts_at, override.ends_at) == (now, now + 3 * HOUR)
    session.flush()
    last = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert last is not None
    assert last.diff["user"] == ["cy", "ann"]
    assert "user_id" not in last.diff
    with pytest.raises(InvalidInput):
        overrides.update(session, override, {"ends_at": now}, actor=ADMIN, now=now)


def test_only_the_end_of_a_started_override_can_change(
    session: Session, rotation: Rotation, now: datetime
) -> None:
    override = make(session, rotation, now)
    later = now + HOUR + HOUR / 2
    for data in ({"user": "ann"}, {"starts_at": later}):
        with pytest.raises(Conflict, match="has started"):
            overrides.update(session, override, data, actor=ADMIN, now=later)
    same = {"user": "cy", "starts_at": now + HOUR, "ends_at": now + 5 * HOUR, "reason": "Longer"}
    overrides.update(session, override, same, actor=ADMIN, now=later)
    assert (override.starts_at, override.ends_at) == (now + HOUR, now + 5 * HOUR)


def test_deleting_a_started_override_ends_it(
    session: Session, rotation: Rotation, now: datetime
) -> None:
    override = make(session, rotation, now)
    later = now + HOUR + HOUR / 2
    overrides.delete(session, override, actor=ADMIN, now=later)
    assert override.ends_at == later
    for deed in (
        lambda: overrides.delete(session, override, actor=ADMIN, now=later),
        lambda: overrides.update(session, override, {"reason": "x"}, actor=ADMIN, now=later),
    ):
        with pytest.raises(Conflict, match="can no longer be changed"):
            deed()


def test_deleting_a_future_override_removes_it(
    session: Session, rotation: Rotation, now: datetime
) -> None:
    overrides.delete(session, make(session, rotation, now), actor=ADMIN, now=now + HOUR)
    assert session.scalars(select(RotationOverride)).all() == []


def test_nobody_whom_no_page_reaches_covers_a_shift(
    session: Session, rotation: Rotation, people: People, now: datetime
) -> None:
    override = make(session, rotation, now)
    people["cy"].email = people["ann"].email = None
    session.flush()
    with pytest.raises(InvalidInput) as caught:
        make(session, rotation, now)
    assert list(caught.value.errors) == ["user"]
    with pytest.raises(InvalidInput) as caught:
        overrides.update(session, override, {"user": "ann"}, actor=ADMIN, now=now)
    assert list(caught.value.errors) == ["user"]
