"""``prune``."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from click.testing import Result

from incidentrelay import models
from incidentrelay.db import Database

Run = Callable[..., Result]


def test_it_says_what_went(run: Run, migrated: Path, relay: Database) -> None:
    now = datetime.now(UTC)
    with relay.write() as session:
        for days in (29, 31):
            at = now - timedelta(days=days)
            session.add(models.IntakeRequest(received_at=at, body=b"{}", outcomes=[]))
    first, second = run("prune", "-c", migrated), run("prune", "-c", migrated)
    assert first.stdout == "1 intake requests deleted.\n"
    assert second.stdout == "Nothing is old enough to be deleted.\n"


def test_it_wants_a_migrated_database(run: Run, ini: Path) -> None:
    result = run("prune", "-c", ini)
    assert result.exit_code == 1
    assert "migrate" in result.stderr
