"""The rows of the calendar, on both databases."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from incidentrelay.domain.calendar_grid import CalendarView, days_of
from incidentrelay.models import Team, User
from incidentrelay.services.access import memberships
from incidentrelay.services.oncall import calendar_queries
from incidentrelay.services.oncall.calendar_queries import CalendarFilter
from tests.support import factories

pytestmark = pytest.mark.both_databases

People = dict[str, User]
DAYS = days_of(CalendarView.MONTH, date(2026, 3, 10), "UTC")
START, END = DAYS[0].start, DAYS[-1].end
ROOT = memberships.Roles(is_admin=True, groups={}, teams={})


def names(page: calendar_queries.CalendarPage) -> list[str]:
    return [row.rotation.slug for row in page.rows]


def test_every_row_fills_the_time(session: Session, team: Team, people: People) -> None:
    factories.rotation(session, team, "empty")
    held = factories.rotation(session, team, "held", (people["bob"],))
    override = factories.override(session, held, people["ann"])
    page = calendar_queries.load_calendar(session, ROOT, CalendarFilter(START, END))
    empty, full = page.rows
    assert [(block.start, block.end, block.user_id) for block in empty.blocks] == [
        (START, END, None)
    ]
    assert {block.override_id for block in full.blocks} == {None, override.id}
    assert page.people == {people[name].id: people[name].display_name for name in ("ann", "bob")}
    assert (page.zones, page.cut) == ({"UTC"}, False)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["a", "b", "a"]),
        ({"team": "one"}, ["a", "b"]),
        ({"rotation": "a"}, ["a", "a"]),
        ({"rotation": "two/a"}, ["a"]),
        ({"team": "one", "rotation": "two/a"}, []),
        ({"team": "none"}, []),
    ],
)
def test_what_is_shown(session: Session, wanted: dict[str, str], found: list[str]) -> None:
    group = factories.group(session)
    one, two = (factories.team(session, group, slug) for slug in ("one", "two"))
    for team, slug in ((one, "a"), (one, "b"), (two, "a")):
        factories.rotation(session, team, slug)
    factories.rotation(session, two, "paused", enabled=False)
    factories.rotation(session, factories.team(session, group, "old", active=False), "c")
    page = calendar_queries.load_calendar(session, ROOT, CalendarFilter(START, END, **wanted))
    assert names(page) == found
    assert [rotation.slug for rotation in page.choices] == ["a", "b", "a"]


def test_only_visible_rotations_are_shown(session: Session, team: Team) -> None:
    factories.rotation(session, team, "secret")
    nobody = memberships.Roles(is_admin=False, groups={}, teams={})
    page = calendar_queries.load_calendar(
        session, nobody, CalendarFilter(START, END, rotation="secret")
    )
    assert (page.rows, page.choices, page.people) == ([], [], {})


def test_a_page_is_bounded(
    session: Session, team: Team, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="42 days"):
        calendar_queries.load_calendar(
            session, ROOT, CalendarFilter(START, END + timedelta(days=8))
        )
    for slug in ("a", "b", "c"):
        factories.rotation(session, team, slug, (people["bob"],))
    monkeypatch.setattr(calendar_queries, "MOST_ROTATIONS", 2)
    page = calendar_queries.load_calendar(session, ROOT, CalendarFilter(START, END))
    assert (names(page), page.cut) == (["a", "b"], True)
    monkeypatch.setattr(calendar_queries, "MOST_BLOCKS", 3)
    page = calendar_queries.load_calendar(session, ROOT, CalendarFilter(START, END))
    assert (names(page), page.cut) == (["a"], True)


def test_the_number_of_statements_is_constant(session: Session, query_count: Any) -> None:
    group = factories.group(session)
    user = factories.user(session)
    factories.group_member(session, group, user)

    def count(number: int) -> int:
        for _ in range(number):
            rotation = factories.rotation(session, factories.team(session, group), members=(user,))
            factories.override(session, rotation, user)
        session.flush()
        session.expunge_all()
        with query_count() as statements:
            page = calendar_queries.load_calendar(session, ROOT, CalendarFilter(START, END))
            assert all(row.rotation.team.group.name for row in page.rows)
        return len(statements)

    assert count(1) == count(12) <= 9
