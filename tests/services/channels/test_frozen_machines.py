"""A machine that freezes with a provider's row (PostgreSQL; SQLite has no locks of rows)."""

from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from incidentrelay import db
from incidentrelay.db import Database, Hint
from incidentrelay.services.channels import providers
from tests.support.pager import NOW, Pager, a_signal
from tests.support.storms import SENT, build_outside, of


@pytest.fixture
def backend() -> str:
    return "postgresql"


@pytest.fixture
def pager(database: Database) -> Pager:
    pager = build_outside(database)
    pager.take(a_signal("a"), a_signal("b"))
    return pager


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[timedelta]:
    """How long each wait for a lock was."""
    real, limits = db.waiting_at_most, []

    def note(session: Session, limit: timedelta) -> AbstractContextManager[None]:
        limits.append(limit)
        return real(session, limit)

    monkeypatch.setattr(db, "waiting_at_most", note)
    return limits


def test_a_provider_that_a_frozen_machine_holds_stops_no_other(
    pager: Pager, waits: list[timedelta]
) -> None:
    hints: list[Hint] = []
    pager.database.sink = hints.extend
    again = NOW + providers.STUCK_FOR
    blocked, others = of(pager, "webhook"), of(pager, "email")
    with pager.database.write() as frozen:
        providers.lock_providers(frozen, blocked[0].provider)
        waits.clear()
        assert [pager.claim(row.id) for row in blocked] == [None, None]
        assert waits == [providers.CLAIM_WAIT, providers.NO_WAIT]
        assert all(pager.claim(row.id) for row in others)
    assert hints.count(Hint("sweep", at=again)) == 1
    assert all(pager.claim(row.id, again) for row in blocked)


def test_a_result_waits_for_the_provider(pager: Pager) -> None:
    claim = pager.claim(of(pager, "webhook")[0].id)
    assert claim is not None
    with ThreadPoolExecutor(1) as pool:
        with pager.database.write() as holder:
            providers.lock_providers(holder, claim.provider)
            recording = pool.submit(pager.record, claim, SENT)
            wait([recording], timeout=0.7)
            assert not recording.done()
        assert recording.result(timeout=10)
