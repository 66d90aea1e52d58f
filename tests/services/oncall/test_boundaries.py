"""Stored coverage saves loading schedules, and never hides a gap."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, update

from incidentrelay.db import Database
from incidentrelay.models import Rotation, RotationRevision
from incidentrelay.services.access import memberships
from incidentrelay.services.delivery import shift_reminders
from incidentrelay.services.oncall import boundaries, schedules, versions
from incidentrelay.services.operations import banners
from tests.services.conftest import Kinds
from tests.support import pager as pagers
from tests.support.pager import Pager

MONDAY = datetime(2026, 3, 9, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ADMIN = memberships.Roles(is_admin=True, groups={}, teams={})


@pytest.fixture
def pager(database: Database) -> Pager:
    """bob hands over to ann on Monday at 09:00; the sweep has seen that."""
    pager = pagers.build(database)
    for at in (MONDAY - MINUTE, MONDAY):
        sweep(pager, at)
    return pager


def sweep(pager: Pager, at: datetime) -> None:
    with pager.database.write() as session:
        shift_reminders.send_due_reminders(session, at)


def uncovered(pager: Pager, at: datetime) -> list[int]:
    with pager.database.read() as session:
        found = banners.load_banners(session, ADMIN, Kinds(), at).uncovered
        return [rotation.id for rotation in found]


@contextmanager
def loads(database: Database) -> Iterator[list[str]]:
    """The statements that read histories of schedules."""
    sent: list[str] = []

    def note(_c: Any, _cur: Any, statement: str, *_rest: Any) -> None:
        if "rotation_layers" in statement:
            sent.append(statement)

    engines = {database.writing, database.reading}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield sent
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


def test_between_two_boundaries_no_schedule_is_loaded(pager: Pager) -> None:
    with loads(pager.database) as sent:
        assert uncovered(pager, MONDAY + MINUTE) == []
        sweep(pager, MONDAY + MINUTE)
    assert sent == []


def test_the_sweep_checks_rotations_at_their_boundary(pager: Pager) -> None:
    with pager.database.read() as session:
        rotation = session.get_one(Rotation, pager.rotation_id)
        assert (rotation.covered, rotation.next_boundary_at) == (True, MONDAY + timedelta(days=7))
    with loads(pager.database) as sent:
        assert uncovered(pager, MONDAY + timedelta(days=7)) == []
        sweep(pager, MONDAY + timedelta(days=7))
    assert len(sent) == 2


def test_a_changed_schedule_is_checked_again(pager: Pager) -> None:
    with pager.database.write() as session:
        session.execute(update(RotationRevision).values(effective_from=MONDAY + 10 * MINUTE))
        versions.bump_rotation(session, pager.rotation_id, MONDAY + MINUTE)
    at = MONDAY + 2 * MINUTE
    assert uncovered(pager, at) == [pager.rotation_id]
    sweep(pager, at)
    with loads(pager.database) as sent:
        assert uncovered(pager, at + MINUTE) == [pager.rotation_id]
    assert sent == []
    assert uncovered(pager, MONDAY + 10 * MINUTE) == []


def test_a_change_during_the_sweep_keeps_the_rotation_due(pager: Pager) -> None:
    with pager.database.write() as session:
        rotation = session.get_one(Rotation, pager.rotation_id)
        versions.bump_rotation(session, rotation.id, MONDAY)
        empty = {rotation.id: schedules.NO_SCHEDULE}
        boundaries.store_boundaries(session, [rotation], empty, MONDAY)
        session.refresh(rotation)
        assert (rotation.covered, rotation.next_boundary_at) == (True, None)
