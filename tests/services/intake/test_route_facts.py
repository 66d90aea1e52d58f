"""What processes remember of routes: never an old fact after the edit's commit."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, inspect, update
from sqlalchemy.orm import Session

from incidentrelay.db import Database
from incidentrelay.domain.enums import TargetKind
from incidentrelay.domain.errors import NotAllowed
from incidentrelay.facts_stamp import FACTS
from incidentrelay.models import (
    Absence,
    Channel,
    ContactMethod,
    Group,
    GroupMember,
    NotificationRule,
    Policy,
    Rotation,
    RotationOverride,
    Route,
    RouteChannel,
    Silence,
    Team,
    TeamMember,
    User,
)
from incidentrelay.services.escalation import route_facts
from incidentrelay.services.escalation.route_facts import RouteFacts, find_facts, load_facts
from incidentrelay.services.intake import receive as intake_receive
from tests.support import factories
from tests.support.pager import NOW, Pager, a_signal, build
from tests.support.statements import statements

pytestmark = pytest.mark.both_databases
_TABLE = re.compile(r"\b(?:FROM|JOIN) (\w+)")


@pytest.fixture
def pager(database: Database) -> Pager:
    """With all that facts can hold: a policy, a silence, an override, contacts, a fallback."""
    pager = build(database)
    with database.write() as session:
        team = session.get_one(Team, pager.team_id)
        ann = session.get_one(User, pager.people["ann"])
        contact = factories.contact(session, ann)
        factories.rule(session, contact, 0)
        factories.silence(session, team, matchers=["alertname=quiet"])
        team.fallback_user_id = pager.people["fay"]
        session.add(TeamMember(team_id=team.id, user_id=ann.id, role="responder", **STAMPS))
        values = {"rotation_id": pager.rotation_id, "user_id": pager.people["cy"]}
        ends_at = NOW + timedelta(hours=1)
        session.add(RotationOverride(**values, starts_at=NOW, ends_at=ends_at, **STAMPS))
    return pager


STAMPS = {"created_at": NOW, "updated_at": NOW, "version": 1}


@pytest.fixture
def other(database: Database) -> Iterator[Database]:
    """The same database in another process."""
    other = Database(database.url.render_as_string(hide_password=False), synchronous="OFF")
    yield other
    other.dispose()


def snapshot(value: Any) -> Any:
    """Facts as plain values that can be compared."""
    if isinstance(value, RouteFacts):
        route = value.route
        parts = (route, route.team, route.team.group, route.rotation, route.policy)
        names = ("plan", "plan_json", "matchers", "people")
        return [snapshot(part) for part in (*parts, *(getattr(value, name) for name in names))]
    if hasattr(type(value), "__table__"):
        return {column.key: getattr(value, column.key) for column in inspect(type(value)).columns}
    if isinstance(value, dict):
        return {key: snapshot(part) for key, part in value.items()}
    if type(value).__name__ == "Directory":
        return {name: snapshot(getattr(value, name)) for name in type(value).__slots__}
    return value


def facts(database: Database, pager: Pager, find: Callable[..., Any] = find_facts) -> Any:
    with database.write() as session:
        intake_receive.lock_free_routes(session, [pager.route_id], NOW)
        return snapshot(find(session, [pager.route_id], NOW).get(pager.route_id))


def test_all_that_is_remembered_is_in_tables_of_the_law(database: Database, pager: Pager) -> None:
    with database.write() as session:
        rotation = session.get_one(Rotation, pager.rotation_id)
        targets = [{"kind": TargetKind.ON_CALL, "id": rotation.id}]
        targets.append({"kind": TargetKind.TEAM, "id": pager.team_id})
        steps = [{"delay": 0, "targets": targets}]
        policy = factories.policy(session, session.get_one(Team, pager.team_id), steps=steps)
    read: set[str] = set()
    for policy_id in (None, policy.id):
        with database.write() as session:
            session.get_one(Route, pager.route_id).policy_id = policy_id
        with database.write() as session, statements(database) as sent:
            load_facts(session, [pager.route_id], NOW)
        read |= {table for sql, _ in sent for table in _TABLE.findall(sql)}
    assert {"routes", "users", "silences", "absences", "team_members", "channels"} <= read
    assert read <= FACTS


def test_a_known_route_costs_one_statement(
    database: Database, pager: Pager, query_count: Callable[[], Any]
) -> None:
    pager.take(a_signal("first"))
    with database.write() as session:
        session.connection()
        with query_count() as sent:
            find_facts(session, [pager.route_id], NOW)
    assert len(sent) == 1


def toggle(model: type[Any], name: str) -> Callable[[Session, Pager], None]:
    def edit(session: Session, _pager: Pager) -> None:
        column = getattr(model, name)
        session.execute(update(model).values({name: ~column}))

    edit.__name__ = f"toggle_{model.__tablename__}_{name}"
    return edit


def rename(model: type[Any], name: str) -> Callable[[Session, Pager], None]:
    def edit(session: Session, _pager: Pager) -> None:
        session.execute(update(model).values({name: getattr(model, name) + "x"}))

    edit.__name__ = f"rename_{model.__tablename__}"
    return edit


def drop(model: type[Any]) -> Callable[[Session, Pager], None]:
    def edit(session: Session, _pager: Pager) -> None:
        session.execute(delete(model))

    edit.__name__ = f"drop_{model.__tablename__}"
    return edit


def add_silence(session: Session, pager: Pager) -> None:
    factories.silence(session, session.get_one(Team, pager.team_id))


def add_absence(session: Session, pager: Pager) -> None:
    session.add(Absence(user_id=pager.people["ann"], group_id=None, since=NOW))


def change_the_route(session: Session, pager: Pager) -> None:
    route = session.get_one(Route, pager.route_id)
    route.matchers = [] if route.matchers else ['alertname="disk"']


EDITS = (
    toggle(Channel, "enabled"),
    toggle(Route, "enabled"),
    toggle(User, "active"),
    toggle(Team, "active"),
    toggle(Group, "active"),
    toggle(Rotation, "enabled"),
    rename(User, "display_name"),
    rename(Team, "name"),
    rename(ContactMethod, "label"),
    drop(Silence),
    drop(RouteChannel),
    drop(RotationOverride),
    drop(NotificationRule),
    drop(ContactMethod),
    drop(GroupMember),
    drop(TeamMember),
    drop(Policy),
    add_silence,
    add_absence,
    change_the_route,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from((0, 1)),
            st.one_of(st.none(), st.tuples(st.sampled_from(EDITS), st.booleans())),
        ),
        max_size=8,
    )
)
def test_no_interleaving_uses_an_old_fact(
    database: Database, other: Database, pager: Pager, steps: Any
) -> None:
    """Each step is an edit (committed or not) or a look, in one of two processes."""
    processes = (database, other)
    for process, change in steps:
        if change is not None:
            edit, kept = change
            session = processes[process].writer()
            edit(session, pager)
            session.flush()
            session.commit() if kept else session.rollback()
            session.close()
        assert facts(processes[process], pager) == facts(processes[process], pager, load_facts)
    for process in processes:
        assert facts(process, pager) == facts(process, pager, load_facts)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_an_edit_in_one_process_is_seen_by_the_other(
    database: Database, other: Database, pager: Pager, edit: Callable[[Session, Pager], None]
) -> None:
    facts(other, pager)
    with database.write() as session:
        edit(session, pager)
    assert facts(other, pager) == facts(other, pager, load_facts)


def test_what_is_not_committed_is_neither_remembered_nor_hidden(
    database: Database, pager: Pager
) -> None:
    session = database.writer()
    before = snapshot(find_facts(session, [pager.route_id], NOW)[pager.route_id])
    rename(Team, "name")(session, pager)
    own = snapshot(find_facts(session, [pager.route_id], NOW)[pager.route_id])
    assert own != before
    session.rollback()
    session.close()
    assert facts(database, pager) == before


def test_a_disabled_route_is_not_taken_from_memory(
    database: Database, other: Database, pager: Pager
) -> None:
    pager.take(a_signal())
    with other.write() as session:
        toggle(Route, "enabled")(session, pager)
    with pytest.raises(NotAllowed):
        pager.take(a_signal())


def test_memory_has_a_limit(
    database: Database, pager: Pager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route_facts, "MOST_REMEMBERED", 2)
    with database.write() as session:
        team = session.get_one(Team, pager.team_id)
        ids = [factories.route(session, team, slug=f"more-{number}").id for number in range(5)]
    for route_id in ids:
        with database.write() as session:
            assert set(find_facts(session, [route_id], NOW)) == {route_id}
    (known,) = database.memory["route facts"].values()
    assert len(known) <= 2
