"""A change of a fact draws a new stamp, whichever way the statement is sent."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session

from incidentrelay import db, facts_stamp
from incidentrelay.db import Database
from incidentrelay.facts_stamp import FACTS, changes_facts
from incidentrelay.models import Base, FactsStamp, Team
from incidentrelay.models.alerts.event import Event
from tests.support import factories

TABLES = Base.metadata.tables


def stamp(database: Database) -> int | None:
    with database.read() as session:
        return session.scalar(select(FactsStamp.stamp))


@pytest.fixture
def team_id(database: Database) -> int:
    with database.write() as session:
        return factories.team(session, factories.group(session)).id


def by_the_unit_of_work(session: Session, team_id: int) -> None:
    session.get_one(Team, team_id).name = "New"


def by_an_orm_statement(session: Session, team_id: int) -> None:
    session.execute(update(Team).where(Team.id == team_id).values(name="New"))


def by_a_table_statement(session: Session, team_id: int) -> None:
    table = Team.__table__
    session.connection().execute(update(table).where(table.c.id == team_id).values(name="New"))


def by_bulk_rows(session: Session, team_id: int) -> None:
    session.execute(update(Team), [{"id": team_id, "name": "New", "version": 1}])


def by_plain_rows(session: Session, team_id: int) -> None:
    db.update_by_id(session, Team, [{"id": team_id, "name": "New"}])


def by_text(session: Session, team_id: int) -> None:
    session.execute(text("update  teams\n set name = 'New' where id = :id"), {"id": team_id})


def by_driver_text(session: Session, team_id: int) -> None:
    session.connection().exec_driver_sql(f"UPDATE teams SET name = 'New' WHERE id = {team_id}")


def by_a_deletion(session: Session, team_id: int) -> None:
    session.execute(delete(Team).where(Team.id == team_id))


def in_a_savepoint(session: Session, team_id: int) -> None:
    with session.begin_nested():
        by_an_orm_statement(session, team_id)


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "change",
    [
        by_the_unit_of_work,
        by_an_orm_statement,
        by_a_table_statement,
        by_bulk_rows,
        by_plain_rows,
        by_text,
        by_driver_text,
        by_a_deletion,
        in_a_savepoint,
    ],
)
def test_a_committed_change_draws_a_stamp(
    database: Database, team_id: int, change: Callable[[Session, int], None]
) -> None:
    before = stamp(database)
    with database.write() as session:
        change(session, team_id)
    assert stamp(database) not in (None, before)


@pytest.mark.both_databases
def test_other_changes_and_rolled_back_ones_draw_none(database: Database, team_id: int) -> None:
    before = stamp(database)
    session = database.writer()
    by_an_orm_statement(session, team_id)
    session.rollback()
    session.close()
    with database.write() as session:
        alert = factories.alert(session, session.get_one(Team, team_id))
        assert alert.id
    assert stamp(database) == before


def test_a_transaction_that_changed_facts_reads_no_stamp(database: Database, team_id: int) -> None:
    """It would remember for others what it may still roll back."""
    with database.write() as session:
        assert facts_stamp.read(session.connection()) is not None
        by_an_orm_statement(session, team_id)
        assert facts_stamp.read(session.connection()) is None
    with database.write() as session:
        assert facts_stamp.read(session.connection()) == stamp(database)


def statements() -> Iterator[tuple[str, str]]:
    for name in sorted(FACTS):
        table = TABLES[name]
        column = next(iter(table.c)).name
        for built in (insert(table), update(table).values({column: 1}), delete(table)):
            yield name, str(built)
        yield name, f'INSERT INTO "{name}" SELECT * FROM other'
        yield name, f"INSERT OR REPLACE INTO {name} VALUES (1)"
        yield name, f"WITH old AS (DELETE FROM {name} RETURNING id) SELECT id FROM old"
        yield name, f"TRUNCATE TABLE {name}"
        yield name, f"UPDATE ONLY public.{name} SET id = 1"


@pytest.mark.parametrize(("table", "sql"), list(statements()))
def test_every_change_of_every_table_is_seen(table: str, sql: str) -> None:
    assert changes_facts(sql), table


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT routes.id FROM routes FOR NO KEY UPDATE OF routes",
        str(insert(Event.__table__)),
        "UPDATE alerts SET team_id = 1 WHERE route_id IN (SELECT id FROM routes)",
        "INSERT INTO users_of_another_table VALUES (1)",
    ],
)
def test_what_changes_no_fact_is_left_alone(sql: str) -> None:
    assert not changes_facts(sql)


def test_the_database_changes_facts_only_with_others() -> None:
    """ON DELETE changes rows without a statement of their own, so parents are facts too."""
    silent = {
        f"{name} -> {key.column.table.name}": key.column.table.name
        for name in FACTS
        for key in TABLES[name].foreign_keys
        if key.ondelete is not None
    }
    assert {pair: parent for pair, parent in silent.items() if parent not in FACTS} == {}


def test_facts_are_tables() -> None:
    assert TABLES.keys() >= FACTS
