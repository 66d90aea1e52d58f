"""Taking, covering and swapping shifts."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import ShiftUnit
from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.domain.oncall.schedule import Schedule
from incidentrelay.domain.oncall.shifts import on_call, shifts
from incidentrelay.models import AuditEntry, Rotation, RotationOverride, Team, User
from incidentrelay.services.oncall import schedules, shift_swaps
from tests.services.conftest import ADMIN, acting
from tests.support import factories

People = dict[str, User]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEK = 7 * DAY
# The starts of the shifts around now: bob has the current one, since yesterday.
NOW = factories.NOW
MONDAY = NOW.replace(hour=9) - DAY


@pytest.fixture
def rotation(session: Session, team: Team, people: People) -> Rotation:
    return factories.rotation(session, team, "primary", (people["cy"], people["bob"]))


def schedule(session: Session, rotation: Rotation) -> Schedule:
    session.flush()
    return schedules.load_schedules(session, [rotation.id])[rotation.id]


def who(session: Session, rotation: Rotation, at: datetime) -> str | None:
    shift = on_call(schedule(session, rotation), at)
    return session.get_one(User, shift.user_id).username if shift else None


def spans(made: list[RotationOverride]) -> list[tuple[str, datetime, datetime]]:
    return [(each.user.username, each.starts_at, each.ends_at) for each in made]


@pytest.mark.both_databases
def test_taking_the_rest_of_a_shift(session: Session, now: datetime) -> None:
    team = factories.team(session, factories.group(session, "sre"), "core")
    users = [factories.user(session, name) for name in ("cy", "bob", "ann")]
    for user in users:
        factories.group_member(session, team.group, user)
    rotation = factories.rotation(session, team, "primary", (users[0], users[1]))
    made = shift_swaps.take_shift(session, rotation, actor=acting(users[2]), now=now)
    assert spans(made) == [("ann", now, MONDAY + WEEK)]
    assert made[0].reason == "Taken over from Bob."
    assert who(session, rotation, now) == "ann"
    assert who(session, rotation, MONDAY + WEEK) == "cy"
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.actor, entry.action, entry.subject_kind) == ("ann", "create", "override")


@pytest.mark.parametrize(
    ("at", "until", "start", "end"),
    [
        (None, 5 * HOUR, NOW, NOW + 5 * HOUR),
        (-HOUR, None, NOW, MONDAY + WEEK),
        (2 * WEEK, None, MONDAY + 2 * WEEK, MONDAY + 3 * WEEK),
        (2 * WEEK, 2 * WEEK + HOUR, MONDAY + 2 * WEEK, NOW + 2 * WEEK + HOUR),
    ],
)
def test_taking_a_part_or_a_later_shift(
    session: Session,
    rotation: Rotation,
    people: People,
    at: timedelta | None,
    until: timedelta | None,
    start: datetime,
    end: datetime,
) -> None:
    made = shift_swaps.take_shift(
        session,
        rotation,
        at=None if at is None else NOW + at,
        until=None if until is None else NOW + until,
        actor=acting(people["ann"]),
        now=NOW,
    )
    assert spans(made) == [("ann", start, end)]


@pytest.mark.parametrize(
    ("at", "until", "field"),
    [
        (-WEEK, None, "at"),
        (timedelta(0), timedelta(0), "until"),
        (timedelta(0), -HOUR, "until"),
        (timedelta(0), WEEK, "until"),
        (WEEK, HOUR, "until"),
        (timedelta(days=365 * 180), None, "at"),
        (timedelta(days=-365 * 100), None, "at"),
    ],
)
def test_shifts_that_cannot_be_taken(
    session: Session,
    rotation: Rotation,
    people: People,
    at: timedelta,
    until: timedelta | None,
    field: str,
) -> None:
    with pytest.raises(InvalidInput) as caught:
        shift_swaps.take_shift(
            session,
            rotation,
            at=NOW + at,
            until=None if until is None else NOW + until,
            actor=acting(people["ann"]),
            now=NOW,
        )
    assert list(caught.value.errors) == [field]


def test_own_shifts_and_gaps_cannot_be_taken(
    session: Session, team: Team, rotation: Rotation, people: People
) -> None:
    with pytest.raises(Conflict, match="already"):
        shift_swaps.take_shift(session, rotation, actor=acting(people["bob"]), now=NOW)
    empty = factories.rotation(session, team, "empty")
    with pytest.raises(Conflict, match="Nobody has a shift at 2026-03-10 12:00 UTC"):
        shift_swaps.take_shift(session, empty, actor=acting(people["bob"]), now=NOW)


def test_only_members_of_the_group(session: Session, rotation: Rotation, people: People) -> None:
    stranger = acting(people["zoe"])
    for actor, sentence in ((stranger, "you are not one"), (ADMIN, "Only a person")):
        _refuses_everything(session, rotation, actor, sentence)
    assert session.scalars(select(RotationOverride)).all() == []


def _refuses_everything(session: Session, rotation: Rotation, actor: Actor, sentence: str) -> None:
    doing: dict[str, Any] = {"actor": actor, "now": NOW}
    with pytest.raises(Conflict, match=sentence):
        shift_swaps.take_shift(session, rotation, **doing)
    with pytest.raises(Conflict, match=sentence):
        shift_swaps.swap_shifts(session, rotation, mine=NOW, theirs=NOW + WEEK, **doing)
    with pytest.raises(Conflict, match=sentence):
        shift_swaps.cover_shift(session, rotation, user="bob", start=NOW, end=NOW + DAY, **doing)


def test_a_cover_replaces_exactly_the_covered_shifts(
    session: Session, rotation: Rotation, people: People
) -> None:
    made = shift_swaps.cover_shift(
        session,
        rotation,
        user="ann",
        start=NOW - WEEK,
        end=NOW + 3 * WEEK,
        actor=acting(people["bob"]),
        now=NOW,
    )
    second = MONDAY + 2 * WEEK
    assert spans(made) == [("ann", NOW, MONDAY + WEEK), ("ann", second, second + WEEK)]
    assert {each.reason for each in made} == {"Stands in for Bob."}
    assert who(session, rotation, MONDAY + WEEK) == "cy"
    assert len(session.scalars(select(AuditEntry)).all()) == 2


def test_anybody_can_be_covered(session: Session, rotation: Rotation, people: People) -> None:
    made = shift_swaps.cover_shift(
        session,
        rotation,
        user="ann",
        covered="cy",
        start=NOW,
        end=MONDAY + WEEK + DAY,
        actor=acting(people["bob"]),
        now=NOW,
    )
    assert spans(made) == [("ann", MONDAY + WEEK, MONDAY + WEEK + DAY)]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"user": "bob"}, "user"),
        ({"user": "zoe"}, "user"),
        ({"user": "gone"}, "user"),
        ({"covered": "zoe"}, "for"),
        ({"end": NOW}, "to"),
        ({"start": NOW + 2 * DAY}, "to"),
        ({"end": NOW + 93 * DAY}, "to"),
        ({"start": NOW.replace(year=2300), "end": NOW.replace(year=2301)}, "from"),
    ],
)
def test_bad_covers(
    session: Session,
    team: Team,
    rotation: Rotation,
    people: People,
    data: dict[str, Any],
    field: str,
) -> None:
    gone = factories.user(session, "gone", active=False)
    factories.group_member(session, team.group, gone)
    given = {"user": "ann", "start": NOW, "end": NOW + DAY, **data}
    with pytest.raises(InvalidInput) as caught:
        shift_swaps.cover_shift(session, rotation, **given, actor=acting(people["bob"]), now=NOW)
    assert list(caught.value.errors) == [field]
    assert session.scalars(select(RotationOverride)).all() == []


def test_a_person_who_is_not_on_call_cannot_be_covered(
    session: Session, team: Team, rotation: Rotation, people: People
) -> None:
    doing: dict[str, Any] = {"user": "ann", "actor": acting(people["cy"]), "now": NOW}
    with pytest.raises(Conflict, match="Cy is not on call in this period"):
        shift_swaps.cover_shift(session, rotation, start=NOW, end=NOW + DAY, **doing)
    hourly = factories.rotation(session, team, "hourly")
    pair = (people["cy"], people["bob"])
    factories.revision(session, hourly, pair, unit=ShiftUnit.HOURS, length=1)
    with pytest.raises(Conflict, match="more than 100"):
        shift_swaps.cover_shift(session, hourly, start=NOW, end=NOW + 10 * DAY, **doing)


def test_turns_that_touch_are_covered_by_one(session: Session, team: Team, people: People) -> None:
    alone = factories.rotation(session, team, "alone", (people["bob"],))
    made = shift_swaps.cover_shift(
        session,
        alone,
        user="cy",
        start=NOW,
        end=NOW + 30 * DAY,
        actor=acting(people["bob"]),
        now=NOW,
    )
    assert spans(made) == [("cy", NOW, NOW + 30 * DAY)]


def test_two_shifts_are_swapped(session: Session, rotation: Rotation, people: People) -> None:
    theirs = MONDAY + WEEK
    made = shift_swaps.swap_shifts(
        session,
        rotation,
        mine=NOW,
        theirs=theirs + HOUR,
        actor=acting(people["bob"]),
        now=NOW,
    )
    assert spans(made) == [("bob", theirs, theirs + WEEK), ("cy", NOW, theirs)]
    assert [each.reason for each in made] == ["Swapped with Cy.", "Swapped with Bob."]
    assert who(session, rotation, MONDAY) == "bob"
    assert who(session, rotation, NOW) == "cy"
    assert who(session, rotation, theirs) == "bob"
    assert len(session.scalars(select(AuditEntry)).all()) == 2


@pytest.mark.parametrize(
    ("mine", "theirs", "error", "sentence"),
    [
        (NOW + WEEK, NOW + WEEK, Conflict, "not yours; Cy has it"),
        (NOW, NOW + 2 * WEEK, Conflict, "your own"),
        (NOW - 2 * WEEK, NOW + WEEK, InvalidInput, "not right"),
        (NOW, NOW - WEEK, InvalidInput, "not right"),
    ],
)
def test_shifts_that_cannot_be_swapped(
    session: Session,
    rotation: Rotation,
    people: People,
    mine: datetime,
    theirs: datetime,
    error: type[Exception],
    sentence: str,
) -> None:
    actor = acting(people["bob"])
    with pytest.raises(error, match=sentence):
        shift_swaps.swap_shifts(session, rotation, mine=mine, theirs=theirs, actor=actor, now=NOW)
    assert session.scalars(select(RotationOverride)).all() == []


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    members=st.lists(st.sampled_from(["bob", "cy"]), min_size=1, max_size=3),
    length=st.integers(7, 50),
    start=st.integers(-60, 200),
    hours=st.integers(1, 400),
    other=st.tuples(st.sampled_from(["ann", "bob", "cy"]), st.integers(0, 200)),
)
def test_a_cover_moves_the_covered_time_and_nothing_else(
    session: Session,
    team: Team,
    people: People,
    members: list[str],
    length: int,
    start: int,
    hours: int,
    other: tuple[str, int],
) -> None:
    attempt = session.begin_nested()
    rotation = factories.rotation(session, team, "mix")
    users = tuple(people[name] for name in members)
    factories.revision(session, rotation, users, unit=ShiftUnit.HOURS, length=length)
    begin = NOW + other[1] * HOUR
    until = begin + 20 * HOUR
    factories.override(session, rotation, people[other[0]], starts_at=begin, ends_at=until)
    first, last = NOW + start * HOUR, NOW + (start + hours) * HOUR
    instants = [NOW + n * HOUR for n in range(-70, 620, 7)]
    names = {user.id: name for name, user in people.items()}

    def course() -> list[str]:
        loaded = schedule(session, rotation)
        found = [on_call(loaded, at) for at in instants]
        return [names[shift.user_id] for shift in found if shift is not None]

    before = course()
    try:
        shift_swaps.cover_shift(
            session,
            rotation,
            user="ann",
            start=first,
            end=last,
            actor=acting(people["bob"]),
            now=NOW,
        )
    except InvalidInput:
        assert last <= NOW
    except Conflict:
        inside = shifts(schedule(session, rotation), max(first, NOW), last)
        assert people["bob"].id not in {shift.user_id for shift in inside}
    else:
        expected = [
            "ann" if name == "bob" and max(first, NOW) <= at < last else name
            for at, name in zip(instants, before, strict=True)
        ]
        assert course() == expected
    attempt.rollback()
    session.expire_all()
