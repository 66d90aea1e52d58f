"""Calendar feeds: creating them, their contents, and when they stop working."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import GroupRole
from incidentrelay.domain.errors import Conflict, InvalidInput, NotAllowed
from incidentrelay.models import AuditEntry, CalendarFeed, GroupMember, Rotation, Team, User
from incidentrelay.services.access import memberships
from incidentrelay.services.access.secrets import token_digest
from incidentrelay.services.access.tokens import Granting
from incidentrelay.services.calendars import feed_contents, feeds
from incidentrelay.services.calendars.feed_contents import FeedContents
from incidentrelay.services.oncall import overrides, rotations
from tests.services.conftest import ADMIN, acting
from tests.support import factories

DAY = timedelta(days=1)
People = dict[str, User]


@pytest.fixture
def primary(session: Session, team: Team, people: People) -> Rotation:
    """Ann and bob alternate weekly."""
    return factories.rotation(session, team, "primary", (people["ann"], people["bob"]))


def make(session: Session, user: User, now: datetime, **data: Any) -> tuple[CalendarFeed, str]:
    return feeds.create(session, user, data, actor=acting(user), now=now)


def shown(session: Session, token: str, now: datetime) -> FeedContents:
    session.flush()
    session.expire_all()
    contents = feed_contents.read_feed(session, token, now)
    assert contents is not None
    return contents


@pytest.mark.both_databases
def test_a_life(session: Session, people: People, now: datetime) -> None:
    ann = people["ann"]
    feed, old = make(session, ann, now, scope="user")
    assert (feed.digest, feed.hint) == (token_digest(old), old[:9])
    assert feed_contents.read_feed(session, old, now) is not None
    new = feeds.regenerate_token(session, feed, actor=acting(ann), now=now)
    assert feed_contents.read_feed(session, old, now) is None
    assert feed_contents.read_feed(session, new, now) is not None
    feeds.delete(session, feed, actor=acting(ann), now=now)
    assert feed_contents.read_feed(session, new, now) is None
    lines = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(line.action, line.subject_kind) for line in lines] == [
        ("create", "feed"),
        ("regenerate", "feed"),
        ("delete", "feed"),
    ]
    assert not any(token in str(line.diff) for line in lines for token in (old, new))


@pytest.mark.both_databases
def test_what_each_scope_shows(
    session: Session, team: Team, primary: Rotation, people: People, now: datetime
) -> None:
    bob = people["bob"]
    second = factories.rotation(session, team, "second", (bob, people["cy"]))
    factories.rotation(session, team, "paused", (bob,), enabled=False)
    other = factories.team(session, factories.group(session, "apps"), "web")
    factories.rotation(session, other, "foreign", (bob,))
    expected = {
        "user": ("Bob", {"primary", "second"}, {"Bob"}),
        "team": ("Core", {"primary", "second"}, {"Ann", "Bob", "Cy"}),
        "rotation": ("Core, Second", {"second"}, {"Bob", "Cy"}),
    }
    for scope, (name, slugs, persons) in expected.items():
        target = {"team": {"team_id": team.id}, "rotation": {"rotation_id": second.id}}
        _, token = make(session, bob, now, scope=scope, **target.get(scope, {}))
        contents = shown(session, token, now)
        assert contents.name == name
        assert {entry.rotation.slug for entry in contents.entries} == slugs
        assert {entry.person for entry in contents.entries} == persons
        assert not contents.cut


def test_shifts_are_whole_and_follow_each_other(
    session: Session, primary: Rotation, people: People, now: datetime
) -> None:
    _, token = make(session, people["cy"], now, scope="rotation", rotation_id=primary.id)
    shifts = [entry.shift for entry in shown(session, token, now).entries]
    assert {shift.end - shift.start for shift in shifts} == {7 * DAY}
    assert shifts[0].start <= now - feed_contents.BEHIND + DAY < shifts[0].end
    assert shifts[-1].end >= now + feed_contents.AHEAD - DAY


@pytest.mark.both_databases
@pytest.mark.parametrize("scope", ["user", "rotation", "team"])
def test_a_feed_ends_with_its_user(
    session: Session, primary: Rotation, people: People, now: datetime, scope: str
) -> None:
    bob = people["bob"]
    ids = {"rotation": primary.id, "team": primary.team_id}
    target = {f"{scope}_id": ids[scope]} if scope in ids else {}
    _, token = make(session, bob, now, scope=scope, **target)
    assert shown(session, token, now).entries
    bob.active = False
    session.flush()
    assert feed_contents.read_feed(session, token, now) is None


@pytest.mark.parametrize("scope", ["rotation", "team"])
def test_a_feed_ends_where_its_user_sees_nothing_any_more(
    session: Session, primary: Rotation, people: People, now: datetime, scope: str
) -> None:
    cy = people["cy"]
    ids = {"rotation": primary.id, "team": primary.team_id}
    feed, token = make(session, cy, now, scope=scope, **{f"{scope}_id": ids[scope]})
    _, personal = make(session, cy, now, scope="user")
    factories.override(session, primary, cy, ends_at=now + DAY)
    assert shown(session, personal, now).entries
    member = session.scalars(select(GroupMember).filter_by(user_id=cy.id)).one()
    session.delete(member)
    session.flush()
    assert feed_contents.read_feed(session, token, now) is None
    assert shown(session, personal, now).entries == []
    mine = select(CalendarFeed.id).where(
        feeds.find_own_feed(cy.id, memberships.load_roles(session, cy))
    )
    assert feed.id not in session.scalars(mine).all()
    factories.group_member(session, primary.team.group, cy, GroupRole.VIEWER)
    assert shown(session, token, now).entries


def test_only_what_one_may_see_can_be_subscribed_to(
    session: Session, primary: Rotation, people: People, now: datetime
) -> None:
    for field, value in (("rotation_id", primary.id), ("team_id", primary.team_id)):
        with pytest.raises(InvalidInput) as caught:
            make(session, people["zoe"], now, scope=field[:-3], **{field: value})
        assert list(caught.value.errors) == [field]


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ({}, ["scope"]),
        ({"scope": "world"}, ["scope"]),
        ({"scope": "rotation"}, ["rotation_id"]),
        ({"scope": "team", "team_id": None}, ["team_id"]),
        ({"scope": "user", "team_id": 1}, ["team_id"]),
        ({"scope": "rotation", "team_id": 1}, ["team_id", "rotation_id"]),
        ({"scope": "rotation", "rotation_id": 10**30}, ["rotation_id"]),
        ({"scope": "user", "digest": "x"}, ["digest"]),
    ],
)
def test_bad_feeds(
    session: Session, people: People, now: datetime, data: dict[str, Any], fields: list[str]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        feeds.create(session, people["ann"], data, actor=acting(people["ann"]), now=now)
    assert list(caught.value.errors) == fields


@pytest.mark.parametrize(
    "granting",
    [
        Granting(["profile:write"], None, None),
        Granting(["profile:write", "resources:read"], 1, None),
        Granting(["profile:write", "resources:read"], None, factories.NOW + DAY),
    ],
)
def test_a_token_makes_no_feed_that_reaches_further(
    session: Session, people: People, now: datetime, granting: Granting
) -> None:
    ann = people["ann"]
    feed, _ = make(session, ann, now, scope="user")
    with pytest.raises(NotAllowed):
        feeds.create(session, ann, {"scope": "user"}, actor=acting(ann), now=now, granting=granting)
    with pytest.raises(NotAllowed):
        feeds.regenerate_token(session, feed, actor=acting(ann), now=now, granting=granting)
    enough = Granting(["profile:write", "resources:read"], None, None)
    feeds.create(session, ann, {"scope": "user"}, actor=acting(ann), now=now, granting=enough)


def test_nobody_makes_feeds_of_others_or_without_end(
    session: Session, people: People, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotAllowed):
        feeds.create(session, people["ann"], {"scope": "user"}, actor=ADMIN, now=now)
    monkeypatch.setattr(feeds, "MAX_FEEDS", 1)
    make(session, people["ann"], now, scope="user")
    with pytest.raises(Conflict, match="remove one first"):
        make(session, people["ann"], now, scope="user")


def test_too_many_shifts_leave_out_whole_rotations(
    session: Session, team: Team, people: People, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for slug in ("a", "b", "c"):
        factories.rotation(session, team, slug, (people["bob"],))
    _, token = make(session, people["ann"], now, scope="team", team_id=team.id)
    whole = shown(session, token, now)
    monkeypatch.setattr(feed_contents, "MOST_ENTRIES", len(whole.entries) - 1)
    some = shown(session, token, now)
    assert [entry.rotation.slug for entry in some.entries[:: len(some.entries) - 1]] == ["a", "b"]
    assert some.cut
    monkeypatch.setattr(feed_contents, "MOST_COMPUTED", 1)
    assert {entry.rotation.slug for entry in shown(session, token, now).entries} == {"a"}
    monkeypatch.undo()
    monkeypatch.setattr(feed_contents, "MOST_ROTATIONS", 1)
    assert {entry.rotation.slug for entry in shown(session, token, now).entries} == {"a"}


def test_a_feed_costs_few_statements(
    session: Session,
    team: Team,
    people: People,
    now: datetime,
    query_count: Callable[[], Any],
) -> None:
    tokens = [
        make(session, people["ann"], now, scope="user")[1],
        make(session, people["ann"], now, scope="team", team_id=team.id)[1],
    ]
    counts = []
    for number in range(1, 6):
        factories.rotation(session, team, f"r{number}", (people["ann"], people["bob"]))
        for token in tokens:
            session.flush()
            session.expire_all()
            with query_count() as queries:
                contents = feed_contents.read_feed(session, token, now)
            assert contents is not None
            assert contents.entries
            counts.append(len(queries))
    assert max(counts) <= 12
    assert len(set(counts[0::2])) == len(set(counts[1::2])) == 1


@pytest.mark.both_databases
def test_every_change_of_the_schedule_is_counted(
    session: Session, primary: Rotation, people: People, now: datetime
) -> None:
    """The sequence grows, and an entry keeps its instant, whatever is done and undone."""
    cy = people["cy"]
    _, token = make(session, cy, now, scope="rotation", rotation_id=primary.id)
    act = {"actor": acting(people["ann"]), "now": now + DAY}
    seen = [shown(session, token, now)]

    def grew() -> None:
        seen.append(shown(session, token, now))
        before, after = (each.entries[0] for each in seen[-2:])
        assert after.sequence > before.sequence
        assert after.changed_at >= before.changed_at

    data = {"user": "cy", "starts_at": now + 2 * DAY, "ends_at": now + 3 * DAY}
    override = overrides.create(session, primary, data, **act)
    grew()
    overrides.update(session, override, {"ends_at": now + 4 * DAY}, **act)
    grew()
    overrides.delete(session, override, **act)
    grew()
    # Nobody edited the rotation itself.
    assert seen[-1].entries[0].rotation.version == 1
    layers = [
        {
            "name": "Layer 1",
            "members": ["bob", "cy"],
            "unit": "weeks",
            "length": 1,
            "handoff_time": "09:00",
            "handoff_weekday": 0,
            "zone": "UTC",
            "start_date": "2026-01-05",
        }
    ]
    rotations.update(session, primary, {"layers": layers}, **act, reminder_interval_minimum=60)
    grew()
    assert seen[-1].entries[0].changed_at == now + DAY


@pytest.mark.both_databases
def test_who_comes_and_goes_is_counted(
    session: Session, primary: Rotation, people: People, now: datetime
) -> None:
    from incidentrelay.services.tenancy import group_members, users

    def count() -> int:
        session.flush()
        return session.scalars(select(Rotation.schedule_changes).filter_by(id=primary.id)).one()

    counts = [count()]
    act = {"actor": ADMIN, "now": now + DAY}
    for active in (False, True):
        users.update(session, people["bob"], {"active": active}, **act, confirm=True)
        counts.append(count())
    users.update(session, people["bob"], {"display_name": "Robert"}, **act)
    assert count() == counts[-1]
    new = {"username": "zoe", "role": "viewer"}
    member = group_members.create(session, primary.team.group, new, **act)
    counts.append(count())
    group_members.delete(session, member, **act, confirm=True)
    counts.append(count())
    assert counts == sorted(set(counts))


def test_a_name_changes_when_not_the_sequence(
    session: Session, primary: Rotation, people: People, now: datetime
) -> None:
    _, token = make(session, people["cy"], now, scope="rotation", rotation_id=primary.id)
    before = shown(session, token, now).entries
    people["ann"].display_name, people["ann"].updated_at = "Anna", now + DAY
    after = shown(session, token, now).entries
    for old, new in zip(before, after, strict=True):
        assert new.sequence == old.sequence
        assert new.changed_at == (now + DAY if new.person == "Anna" else old.changed_at)
