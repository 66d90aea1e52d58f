from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.domain.oncall.shifts import on_call
from incidentrelay.models import (
    AuditEntry,
    Rotation,
    RotationLayer,
    RotationRevision,
    Team,
    User,
)
from incidentrelay.services.oncall import rotations, schedules
from tests.services.conftest import ADMIN, acting
from tests.support import factories

People = dict[str, User]
LAYER = {"name": "All day", "members": ["bob", "cy"], "unit": "days", "length": 1}


def make(session: Session, team: Team, now: datetime, **data: Any) -> Rotation:
    return rotations.create(session, team, {"name": "Primary", **data}, actor=ADMIN, now=now)


def who(session: Session, rotation: Rotation, at: datetime) -> str | None:
    session.flush()
    shift = on_call(schedules.load_schedules(session, [rotation.id])[rotation.id], at)
    return session.get_one(User, shift.user_id).username if shift else None


def shown(session: Session, rotation: Rotation) -> list[dict[str, Any]]:
    session.flush()
    return rotations.load_current_layers(session, [rotation.id])[rotation.id]


@pytest.mark.parametrize("hour", [0, 8, 9, 23])
@pytest.mark.parametrize("kind", ["daily", "weekly"])
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/Los_Angeles"])
def test_the_first_member_is_on_call_at_once(
    session: Session, team: Team, people: People, now: datetime, kind: str, hour: int, zone: str
) -> None:
    at = now.replace(hour=hour)
    data = {"kind": kind, "members": ["cy", "ann", "bob"], "zone": zone}
    rotation = make(session, team, at, **data)
    assert who(session, rotation, at) == "cy"
    week = timedelta(days=7)
    assert who(session, rotation, at + (week if kind == "weekly" else week / 7)) == "ann"


def test_a_short_form_is_one_layer(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    rotation = make(session, team, now, members=["bob"], handoff_time="18:30", handoff_weekday=4)
    assert shown(session, rotation) == [
        {
            "key": 1,
            "name": "Layer 1",
            "members": ["bob"],
            "unit": "weeks",
            "length": 1,
            "handoff_time": "18:30",
            "handoff_weekday": 4,
            "zone": "UTC",
            "start_date": "2026-03-09",
            "windows": [],
        }
    ]
    revision = session.scalars(select(RotationRevision)).one()
    assert (revision.effective_from, revision.created_at) == (None, now)


def test_layers_with_everything(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    office = {
        "name": "Office",
        "members": ["ann", "bob", "ann"],
        "unit": "hours",
        "length": 12,
        "handoff_time": time(8),
        "zone": "Europe/Paris",
        "start_date": date(2026, 1, 1),
        "windows": [{"weekday": 0, "opens": "09:00", "closes": time(17)}],
    }
    rotation = make(session, team, now, layers=[LAYER, office], reminder_interval=0)
    first, second = shown(session, rotation)
    assert (first["key"], first["name"], second["key"]) == (1, "All day", 2)
    assert second["members"] == ["ann", "bob", "ann"]
    assert second["windows"] == [{"weekday": 0, "opens": "09:00", "closes": "17:00"}]
    assert rotation.reminder_interval == 0
    session.flush()
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.subject, entry.diff["layers"][1][0]["name"]) == ("core/primary", "All day")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "members"),
        ({"members": []}, "members"),
        ({"members": ["zoe"]}, "members"),
        ({"members": "bob"}, "members"),
        ({"members": ["gone"]}, "members"),
        ({"members": ["bob"], "kind": "yearly"}, "kind"),
        ({"members": ["bob"], "zone": "Mars"}, "zone"),
        ({"members": ["bob"], "handoff_time": "25:00"}, "handoff_time"),
        ({"members": ["bob"], "start_date": "soon"}, "start_date"),
        ({"members": ["bob"], "start_date": "1800-01-01"}, "start_date"),
        ({"members": ["bob"], "reminder_interval": 59}, "reminder_interval"),
        ({"members": ["bob"], "reminder_interval": 86401}, "reminder_interval"),
        ({"layers": [LAYER], "zone": "UTC"}, "zone"),
        ({"layers": []}, "layers"),
        ({"layers": "x"}, "layers"),
        ({"layers": [LAYER, 5]}, "layers.1.value"),
        ({"layers": [{**LAYER, "length": 0}]}, "layers.0.length"),
        ({"layers": [{**LAYER, "length": 400}]}, "layers.0.length"),
        ({"layers": [{**LAYER, "key": 4}]}, "layers.0.key"),
        ({"layers": [{**LAYER, "members": ["bob", "zoe"]}]}, "layers.0.members"),
        ({"layers": [{**LAYER, "windows": [{"weekday": 7}]}]}, "layers.0.windows.0.weekday"),
        ({"layers": [{**LAYER, "windows": [3]}]}, "layers.0.windows.0.value"),
        ({"layers": [{**LAYER, "windows": "x"}]}, "layers.0.windows"),
    ],
)
def test_bad_rotations(
    session: Session, team: Team, people: People, now: datetime, data: dict[str, Any], field: str
) -> None:
    factories.group_member(session, team.group, factories.user(session, "gone", active=False))
    with pytest.raises(InvalidInput) as caught:
        make(session, team, now, **data)
    assert field in caught.value.errors


def test_the_minimum_of_reminders_can_be_lower(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    data = {"name": "Drill", "members": ["bob"], "reminder_interval": 5}
    rotation = rotations.create(
        session, team, data, actor=ADMIN, now=now, reminder_interval_minimum=5
    )
    assert rotation.reminder_interval == 5


def test_slugs_are_unique_in_a_team(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    make(session, team, now, members=["bob"])
    with pytest.raises(Conflict, match="“primary”"):
        make(session, team, now, members=["bob"])


@pytest.mark.both_databases
def test_an_edit_changes_the_future_only(session: Session, now: datetime) -> None:
    team = factories.team(session, factories.group(session))
    for name in ("ann", "bob", "cy"):
        factories.group_member(session, team.group, factories.user(session, name))
    rotation = make(session, team, now, kind="daily", members=["ann", "bob", "cy"])
    day = timedelta(days=1)
    edited = now + 3 * day
    assert [who(session, rotation, now + n * day) for n in range(3)] == ["ann", "bob", "cy"]
    ann = session.scalars(select(User).where(User.username == "ann")).one()
    rotations.update(session, rotation, {"members": ["cy", "ann"]}, actor=acting(ann), now=edited)
    assert [who(session, rotation, now + n * day) for n in range(3)] == ["ann", "bob", "cy"]
    assert [who(session, rotation, edited + n * day) for n in range(3)] == ["ann", "cy", "ann"]
    revision = session.scalars(
        select(RotationRevision).order_by(RotationRevision.id.desc())
    ).first()
    assert revision is not None
    assert (revision.effective_from, revision.created_by_id) == (edited, ann.id)
    assert (rotation.version, rotation.updated_at) == (2, edited)


def test_layers_are_known_by_key_or_name(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    night = {"name": "Night", "members": ["ann"]}
    rotation = make(session, team, now, layers=[LAYER, night])
    data = [
        {"name": "Weekend", "members": ["cy"]},
        {"key": 2, "name": "Late"},
        {"name": "All day", "zone": "Europe/Paris"},
    ]
    rotations.update(session, rotation, {"layers": data}, actor=ADMIN, now=now)
    assert [(each["key"], each["name"], each["members"]) for each in shown(session, rotation)] == [
        (3, "Weekend", ["cy"]),
        (2, "Late", ["ann"]),
        (1, "All day", ["bob", "cy"]),
    ]
    rotations.update(session, rotation, {"layers": [LAYER]}, actor=ADMIN, now=now)
    rotations.update(session, rotation, {"layers": [LAYER, night]}, actor=ADMIN, now=now)
    assert [each["key"] for each in shown(session, rotation)] == [1, 4]
    twice = [{"key": 1}, {"key": 1}]
    with pytest.raises(InvalidInput) as caught:
        rotations.update(session, rotation, {"layers": twice}, actor=ADMIN, now=now)
    assert list(caught.value.errors) == ["layers.1.key"]


def test_an_edit_without_changes_adds_no_revision(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    rotation = make(session, team, now, layers=[LAYER])
    data = {"slug": "primary", "layers": shown(session, rotation), "enabled": True}
    rotations.update(session, rotation, data, actor=ADMIN, now=now + timedelta(1))
    assert len(session.scalars(select(RotationRevision.id)).all()) == 1
    assert rotation.version == 1
    rotations.update(session, rotation, {"enabled": False}, actor=ADMIN, now=now)
    assert len(session.scalars(select(RotationRevision.id)).all()) == 1
    assert (rotation.enabled, rotation.version) == (False, 2)


def test_several_layers_have_no_short_form(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    rotation = make(session, team, now, layers=[LAYER, {"members": ["ann"]}])
    with pytest.raises(Conflict, match="several layers"):
        rotations.update(session, rotation, {"members": ["bob"]}, actor=ADMIN, now=now)


def test_an_inactive_member_does_not_block_an_edit(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    rotation = make(session, team, now, members=["bob", "cy"])
    people["bob"].active = False
    data = {"members": ["bob", "cy"], "zone": "Europe/Paris"}
    rotations.update(session, rotation, data, actor=ADMIN, now=now)
    assert shown(session, rotation)[0]["members"] == ["bob", "cy"]
    assert who(session, rotation, now) == "cy"


def test_a_rotation_without_a_schedule_gets_one(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    rotation = factories.rotation(session, team)
    assert who(session, rotation, now) is None
    rotations.update(session, rotation, {"members": ["bob"]}, actor=ADMIN, now=now)
    assert who(session, rotation, now) == "bob"


def test_deleting_a_rotation_deletes_its_history(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    rotation = make(session, team, now, members=["bob"])
    factories.override(session, rotation, people["cy"])
    rotations.delete(session, rotation, actor=ADMIN, now=now)
    for model in (Rotation, RotationRevision, RotationLayer):
        assert session.scalars(select(model.id)).all() == []


def test_a_rotation_in_use_cannot_be_deleted(
    session: Session, team: Team, people: People, now: datetime
) -> None:
    rotation = make(session, team, now, members=["bob"])
    step = {"delay": 0, "targets": [{"kind": "rotation", "id": rotation.id}]}
    policy = factories.policy(session, team, "night", steps=[step])
    with pytest.raises(Conflict, match="core/night"):
        rotations.delete(session, rotation, actor=ADMIN, now=now)
    session.delete(policy)
    factories.route(session, team, "prometheus", rotation_id=rotation.id)
    with pytest.raises(Conflict, match="prometheus"):
        rotations.delete(session, rotation, actor=ADMIN, now=now)
