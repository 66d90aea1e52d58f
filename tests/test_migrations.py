"""Migrations: linear, reversible, equal to the models, and safe for existing data."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import select, text

from incidentrelay import migrations
from incidentrelay.db import Database
from incidentrelay.domain.enums import EventKind, ShiftEdge
from incidentrelay.models import (
    AlertLabel,
    Attempt,
    AuditEntry,
    ContactMethod,
    Event,
    Group,
    Heartbeat,
    IntakeRequest,
    Notification,
    Policy,
    Provider,
    RecipientRate,
    Route,
    ShiftReminder,
    Signal,
    Silence,
    Team,
    User,
)
from tests.support import factories

# One process of the suite makes the database for all of them.
pytestmark = pytest.mark.xdist_group("migrations")


@pytest.fixture(params=["sqlite", "postgresql"])
def blank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table."""
    url = f"sqlite:///{tmp_path}/blank.sqlite"
    if request.param == "postgresql":
        url = request.getfixturevalue("blank_postgresql")
    database = Database(url, synchronous="OFF")
    yield database
    database.dispose()


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory(str(migrations.folder())).get_heads()) == 1


def test_an_upgraded_database_matches_the_models(blank: Database) -> None:
    assert migrations.current(blank) is None
    migrations.upgrade(blank)
    assert migrations.current(blank) == migrations.head()
    assert migrations.check(blank) == []


def test_an_upgraded_database_has_the_triggers_of_the_models(
    blank: Database, database: Database
) -> None:
    migrations.upgrade(blank)
    assert len(triggers(blank)) >= 3
    if blank.url.get_backend_name() == database.url.get_backend_name():
        assert triggers(blank) == triggers(database)


def triggers(database: Database) -> list[str]:
    """The definitions of all triggers and of their functions."""
    queries = ["SELECT sql FROM sqlite_master WHERE type = 'trigger'"]
    if database.url.get_backend_name() == "postgresql":
        queries = [
            "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
            "SELECT prosrc FROM pg_proc WHERE proname LIKE '%_labels'",
        ]
    with database.reading.connect() as connection:
        found = [row for query in queries for row in connection.scalars(text(query))]
    return sorted(" ".join(definition.split()) for definition in found)


def test_labels_of_stored_alerts_are_indexed(blank: Database, now: datetime) -> None:
    migrations.upgrade(blank)
    with blank.write() as session:
        team = factories.team(session, factories.group(session))
        alert = factories.alert(session, team)
        for key in ("1", "2"):
            labels = {"host": key, "zone": "x", "long": "é" * 300}
            factories.signal(session, alert, dedup_key=key, labels=labels)
        by_triggers = session.execute(select(AlertLabel.__table__)).all()
    before = ScriptDirectory(str(migrations.folder())).get_revision("0017").down_revision
    assert isinstance(before, str)
    migrations.downgrade(blank, before)
    migrations.upgrade(blank)
    with blank.read() as session:
        filled = session.execute(select(AlertLabel.__table__)).all()
    assert sorted(filled) == sorted(by_triggers)
    assert len(filled) == 4


def test_check_names_what_is_missing(blank: Database) -> None:
    migrations.upgrade(blank)
    with blank.writing.begin() as connection:
        connection.execute(text("DROP TABLE heartbeats"))
    assert any("heartbeats" in difference for difference in migrations.check(blank))


def test_migrations_up_and_down_keep_data(blank: Database, now: datetime) -> None:
    migrations.upgrade(blank)
    with blank.write() as session:
        stamps = {"created_at": now, "updated_at": now}
        group = Group(slug="sre", name="SRE", **stamps)
        session.add(group)
        session.flush()
        session.add(Team(slug="core", name="Core", group_id=group.id, **stamps))
    migrations.downgrade(blank, "base")
    with blank.reading.connect() as connection:
        assert not blank.reading.dialect.has_table(connection, "teams")
    migrations.upgrade(blank)
    assert migrations.check(blank) == []


def test_e_mail_addresses_become_confirmed_contacts(blank: Database) -> None:
    migrations.upgrade(blank, "0001")
    user = text(
        "INSERT INTO users (username, display_name, email, zone, active, is_admin, version,"
        " created_at, updated_at) VALUES (:name, :name, :email, 'UTC', :yes, :no, 1, :at, :at)"
    )
    at = "2026-03-10 12:00:00"
    with blank.writing.begin() as connection:
        for name, email in (("ann", "ann@x.test"), ("bob", None), ("cy", "")):
            values = {"name": name, "email": email, "yes": True, "no": False, "at": at}
            connection.execute(user, values)
    migrations.upgrade(blank)
    with blank.read() as session:
        (own,) = session.scalars(select(ContactMethod)).all()
        ann = session.get_one(User, own.user_id)
        assert (ann.username, own.kind, own.address) == ("ann", "email", "ann@x.test")
        assert own.verified_at is not None
        assert own.version == 1


def test_downgrading_deletes_notifications_without_a_team(blank: Database, now: datetime) -> None:
    migrations.upgrade(blank)
    with blank.write() as session:
        ann = factories.user(session, "ann")
        contact = factories.contact(session, ann)
        factories.rule(session, contact, 0)
        team = factories.team(session, factories.group(session))
        kept = factories.notification(
            session, factories.alert(session, team), contact_id=contact.id
        )
        code = factories.notification(
            session, factories.alert(session, team), alert_id=None, team_id=None
        )
        for row in (kept, code):
            session.add(
                Attempt(
                    notification_id=row.id, number=1, started_at=now, duration_ms=1, outcome="sent"
                )
            )
        kept_id = kept.id
    migrations.downgrade(blank, "0001")
    with blank.reading.connect() as connection:
        assert list(connection.scalars(text("SELECT id FROM notifications"))) == [kept_id]
        assert list(connection.scalars(text("SELECT notification_id FROM attempts"))) == [kept_id]
    migrations.upgrade(blank)
    assert migrations.check(blank) == []


def test_silences_that_were_there_are_swept_and_those_that_come_again_go_back_as_nothing(
    blank: Database, now: datetime
) -> None:
    migrations.upgrade(blank)
    with blank.write() as session:
        stamps = {"created_at": now, "updated_at": now}
        group = Group(slug="sre", name="SRE", **stamps)
        session.add(group)
        session.flush()
        team = Team(slug="core", name="Core", group_id=group.id, **stamps)
        session.add(team)
        session.flush()
        window = {"team_id": team.id, "starts_at": now, "ends_at": now + timedelta(hours=1)}
        session.add(Silence(matchers=["a=b"], **window, **stamps))
        session.add(Silence(matchers=["c=d"], recurrence={"rule": "x"}, **window, **stamps))
    migrations.downgrade(blank, "0001")
    migrations.upgrade(blank)
    with blank.read() as session:
        (row,) = session.scalars(select(Silence))
        assert (row.matchers, row.recurrence, row.next_change_at) == (["a=b"], None, now)


def test_old_terms_are_renamed_and_restored(blank: Database, now: datetime) -> None:
    migrations.upgrade(blank)
    facts = {"credential": "route", "people": [{"id": 1, "methods": [["email"]]}]}
    with blank.write() as session:
        group = factories.group(session, "sre")
        team = factories.team(session, group, "core")
        user = factories.user(session, "ann", shift_end_reminder=True)
        alert = factories.alert(session, team)
        event = factories.event(session, alert, EventKind.STEP_SKIPPED, data=facts)
        notification = factories.notification(session, alert, provider="email", stalled_at=now)
        rotation = factories.rotation(session, team)
        shift = {"rotation_id": rotation.id, "user_id": user.id, "at": now, "created_at": now}
        session.add_all(
            [
                Provider(name="email", failures=2, reason="down"),
                RecipientRate(target="channel:1", busy_until=now),
                Heartbeat(name="shift-reminders", at=now),
                ShiftReminder(edge=ShiftEdge.START, notified=True, **shift),
            ]
        )
        session.flush()
        ids = (event.id, notification.id, user.id)
    migrations.downgrade(blank, "0008")
    with blank.reading.connect() as connection:
        kind, data = connection.execute(text("SELECT kind, data FROM events")).one()
        data = json.loads(data) if isinstance(data, str) else data
        assert (kind, data["door"]) == ("step_passed_over", "route")
        assert data["people"] == [{"id": 1, "ways": [["email"]]}]
        assert connection.scalar(text("SELECT count(*) FROM lanes")) == 1
        assert connection.scalar(text("SELECT count(*) FROM target_paces")) == 1
        assert connection.scalar(text("SELECT lane FROM notifications")) == "email"
        assert connection.scalar(text("SELECT told FROM shift_notices"))
        assert connection.scalar(text("SELECT name FROM heartbeats")) == "shift-notices"
    migrations.upgrade(blank)
    assert migrations.check(blank) == []
    with blank.write() as session:
        assert (found := session.get_one(Event, ids[0])).data == facts
        assert found.kind is EventKind.STEP_SKIPPED
        sent = session.get_one(Notification, ids[1])
        assert (sent.provider, sent.stalled_at) == ("email", now)
        assert session.get_one(User, ids[2]).shift_end_reminder
        assert [row.failures for row in session.scalars(select(Provider))] == [2]
        assert [row.target for row in session.scalars(select(RecipientRate))] == ["channel:1"]
        assert [row.notified for row in session.scalars(select(ShiftReminder))] == [True]
        # The copied table continues the numbering of the old one.
        session.add(ShiftReminder(edge=ShiftEdge.END, notified=False, **shift))


def test_signals_keep_what_they_hold_apart_from_refires(blank: Database, now: datetime) -> None:
    migrations.upgrade(blank)
    with blank.write() as session:
        team = factories.team(session, factories.group(session))
        alert = factories.alert(session, team)
        values = {"refire": {"title": "disk"}, "refire_at": now}
        signal_id = factories.signal(session, alert, **values).id
    migrations.downgrade(blank, "0014")
    migrations.upgrade(blank)
    assert migrations.check(blank) == []
    with blank.read() as session:
        signal = session.get_one(Signal, signal_id)
        assert (signal.refire, signal.refire_at) == (None, None)


def test_policies_survive_without_their_double_duty(blank: Database) -> None:
    migrations.upgrade(blank)
    with blank.write() as session:
        team = factories.team(session, factories.group(session))
        policy_id = factories.policy(session, team, steps=[], double_duty={"more": 0}).id
    migrations.downgrade(blank, "0015")
    migrations.upgrade(blank)
    with blank.read() as session:
        policy = session.get_one(Policy, policy_id)
        assert (policy.steps, policy.double_duty) == ([], None)
    assert migrations.check(blank) == []


def test_migrations_and_models_write_the_same_indexes(
    tmp_path: Path, empty_sqlite: Path, now: datetime
) -> None:
    """Rebuilding a table of SQLite must not lose the condition of a partial index."""
    database = Database(f"sqlite:///{tmp_path}/migrated.sqlite", synchronous="OFF")
    migrations.upgrade(database)
    migrated = _indexes(database)
    database.dispose()
    made = Database(f"sqlite:///{empty_sqlite}", synchronous="OFF")
    assert migrated == _indexes(made)
    made.dispose()


def _indexes(database: Database) -> dict[str, str]:
    query = text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    with database.reading.connect() as connection:
        return {name: _plain(sql) for name, sql in connection.execute(query)}


def _plain(sql: str) -> str:
    return " ".join(sql.replace('"', "").replace("(", " ").replace(")", " ").split()).lower()


@pytest.mark.parametrize("made_by", ["models", "migrations"])
def test_ids_of_deleted_rows_are_never_reused(
    made_by: str, database: Database, tmp_path: Path
) -> None:
    if made_by == "migrations":
        database = Database(f"sqlite:///{tmp_path}/ids.sqlite", synchronous="OFF")
        migrations.upgrade(database)
        migrations.downgrade(database, "0009")
        migrations.upgrade(database)
    with database.write() as session:
        gone = factories.user(session, "gone")
        first = gone.id
        session.delete(gone)
    with database.write() as session:
        assert factories.user(session, "next").id > first
    if made_by == "migrations":
        database.dispose()


def test_when_credentials_changed_comes_from_the_audit_log(blank: Database, now: datetime) -> None:
    migrations.upgrade(blank)
    stamps = {"actor": "root", "action": "update", "subject_kind": "user"}
    with blank.write() as session:
        for name in ("ann", "bob"):
            factories.user(session, name)
        for subject, diff in (("ann", {"password": ["***", "***"]}), ("bob", {"zone": ["a", "b"]})):
            session.add(AuditEntry(at=now, subject=subject, diff=diff, **stamps))
    migrations.downgrade(blank, "0009")
    migrations.upgrade(blank)
    with blank.read() as session:
        found = {
            user.username: user.credentials_changed_at for user in session.scalars(select(User))
        }
    assert found == {"ann": now, "bob": None}


def test_routes_lose_only_their_old_tokens_on_the_way_back(blank: Database, now: datetime) -> None:
    migrations.upgrade(blank)
    with blank.write() as session:
        team = factories.team(session, factories.group(session))
        route = factories.route(session, team)
        route.old_token_digest, route.old_token_until = b"x" * 32, now
        for rejected in (0, 2):
            row = IntakeRequest(route_id=route.id, received_at=now, body=b"{}", outcomes=[])
            row.rejected = rejected
            session.add(row)
        digest = route.token_digest
    migrations.downgrade(blank, "0018")
    migrations.upgrade(blank)
    assert migrations.check(blank) == []
    with blank.read() as session:
        (route,) = session.scalars(select(Route))
        assert (route.token_digest, route.old_token_digest) == (digest, None)
        assert [row.rejected for row in session.scalars(select(IntakeRequest))] == [0, 0]
