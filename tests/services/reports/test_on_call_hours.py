"""The on-call report: hours and pages, on both databases."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import DeliveryState, GroupRole, NotificationKind
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.reports.on_call_hours import decimal
from incidentrelay.models import Team, User
from incidentrelay.services.access import memberships
from incidentrelay.services.reports import on_call_hours
from incidentrelay.services.reports.report_lines import HoursReport, ReportFilter, ReportLine
from tests.support import factories

pytestmark = pytest.mark.both_databases

People = dict[str, User]
ROOT = memberships.Roles(is_admin=True, groups={}, teams={})
NOBODY = memberships.Roles(is_admin=False, groups={}, teams={})
MONDAY, SUNDAY = date(2026, 3, 9), date(2026, 3, 15)
NIGHT = datetime(2026, 3, 11, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


def make(session: Session, roles: Any = ROOT, **given: Any) -> HoursReport:
    usual = {"first": MONDAY, "last": SUNDAY, "own_zone": "UTC"}
    return on_call_hours.build_report(session, roles, ReportFilter(**{**usual, **given}))


def shown(line: ReportLine) -> tuple[Any, ...]:
    hours = line.hours
    kinds = (hours.weekday, hours.night, hours.weekend, hours.holiday)
    return (
        line.rotation.slug if line.rotation else None,
        line.user.username if line.user else None,
        *(one / HOUR for one in kinds),
        line.pages,
        line.night_pages,
    )


def page(session: Session, team: Team, user: User, at: datetime, **given: Any) -> None:
    """One page of a new alert, by inbox and e-mail."""
    alert = factories.alert(session, team, given.pop("route", None))
    usual = {"state": DeliveryState.SENT, "created_at": at, "user_id": user.id, "step": 0}
    for method in ("inbox", "email"):
        target = f"user:{user.id}:{method}"
        factories.notification(session, alert, target, **{**usual, "method": method, **given})


def test_hours_and_pages(session: Session, team: Team, people: People) -> None:
    """ann has the week from Monday 09:00, bob the one before; cy an override of Sunday."""
    ann, bob, cy = (people[name] for name in ("ann", "bob", "cy"))
    rotation = factories.rotation(session, team, "primary", (bob, ann))
    start = datetime(2026, 3, 15, tzinfo=UTC)
    factories.override(session, rotation, cy, starts_at=start, ends_at=start + 12 * HOUR)
    page(session, team, ann, NIGHT)
    page(session, team, ann, NIGHT + 10 * HOUR)
    page(session, team, bob, NIGHT)
    report = make(session)
    assert [shown(line) for line in report.lines] == [
        ("primary", "ann", 16 * 5 - 3, 34, 36, 0, 2, 1),
        ("primary", "bob", 3, 6, 0, 0, 0, 0),
        ("primary", "cy", 0, 0, 12, 0, 0, 0),
        (None, "bob", 0, 0, 0, 0, 1, 1),
    ]
    assert shown(report.total) == (None, None, 80, 40, 48, 0, 3, 2)
    assert [shown(line)[1:] for line in report.people][1] == ("bob", 3, 6, 0, 0, 1, 1)
    assert [shown(line)[0] for line in report.rotations] == ["primary", None]


def test_holidays_count_before_everything(session: Session, team: Team, people: People) -> None:
    factories.rotation(session, team, members=(people["ann"],))
    easter = {"first": date(2026, 4, 3), "last": date(2026, 4, 6)}
    (line,) = make(session, country="DE", **easter).lines
    assert shown(line)[2:6] == (0, 0, 48, 48)
    report = make(session, country="de", subdivision="bb", **easter)
    assert [str(day) for day in report.holidays] == ["2026-04-03", "2026-04-05", "2026-04-06"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"country": "XX"}, "country"),
        ({"country": "DE", "subdivision": "XX"}, "subdivision"),
        ({"subdivision": "BY"}, "subdivision"),
        ({"zone": "Mars"}, "zone"),
        ({"last": date(2030, 1, 1)}, "to"),
        ({"last": date(2026, 3, 8)}, "to"),
        ({"last": date(9999, 12, 31), "country": "DE"}, "to"),
    ],
)
def test_invalid_filters_are_rejected(session: Session, given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        make(session, **given)
    assert list(refused.value.errors) == [field]


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({}, 1),
        ({"kind": NotificationKind.ESCALATION}, 1),
        ({"kind": NotificationKind.FALLBACK}, 1),
        ({"kind": NotificationKind.REMINDER}, 0),
        ({"kind": NotificationKind.UPDATE}, 0),
        ({"state": DeliveryState.FAILED}, 0),
        ({"state": DeliveryState.DELIVERED}, 1),
        ({"created_at": datetime(2026, 3, 8, 23, 59, tzinfo=UTC)}, 0),
        ({"created_at": datetime(2026, 3, 16, tzinfo=UTC)}, 0),
    ],
)
def test_what_counts_as_a_page(
    session: Session, team: Team, people: People, given: dict[str, Any], count: int
) -> None:
    factories.rotation(session, team, members=(people["ann"],))
    page(session, team, people["ann"], NIGHT, **given)
    assert make(session).total.pages == count


def test_each_page_is_counted_in_one_place(session: Session, team: Team, people: People) -> None:
    ann = people["ann"]
    factories.rotation(session, team, "first", (ann,))
    second = factories.rotation(session, team, "second", (ann,))
    route = factories.route(session, team, rotation_id=second.id)
    page(session, team, ann, NIGHT, route=route)
    page(session, team, ann, NIGHT)
    pages = {line.rotation.slug: line.pages for line in make(session).lines if line.rotation}
    assert pages == {"first": 1, "second": 1}
    assert make(session, rotation="first").total.pages == 2


def test_what_may_be_seen_and_is_asked_for(session: Session, team: Team, people: People) -> None:
    factories.rotation(session, team, "primary", (people["ann"],))
    factories.rotation(session, team, "paused", (people["bob"],), enabled=False)
    far = factories.group(session, "far")
    factories.group_member(session, far, people["cy"])
    other = factories.team(session, far, "away")
    factories.rotation(session, other, "primary", (people["cy"],))
    page(session, team, people["bob"], NIGHT)

    def who(**given: Any) -> list[str]:
        return [line.user.username for line in make(session, **given).lines if line.user]

    assert sorted(who()) == ["ann", "bob", "cy"]
    assert who(team=team.slug) == ["ann", "bob"]
    assert who(group="far") == ["cy"]
    assert who(rotation=f"{team.slug}/primary") == ["ann"]
    assert who(rotation="paused") == ["bob"]
    assert who(user="cy") == ["cy"]
    assert who(user="nobody") == []
    assert make(session, NOBODY).lines == []
    own = memberships.Roles(is_admin=False, groups={team.group_id: GroupRole.VIEWER}, teams={})
    assert {line.team for line in make(session, own).lines} == {team}


def test_the_zone_is_the_one_all_rotations_share(
    session: Session, team: Team, people: People
) -> None:
    one, two = (factories.rotation(session, team, slug) for slug in ("one", "two"))
    for rotation in (one, two):
        factories.revision(session, rotation, (people["ann"],), zone="Europe/Berlin")
    assert make(session).calculator.rules.zone == "Europe/Berlin"
    assert make(session, zone="Asia/Tokyo").calculator.rules.zone == "Asia/Tokyo"
    spring = make(session, first=date(2026, 3, 29), last=date(2026, 3, 29))
    assert decimal(spring.people[0].hours.weekend) == "46.00"
    factories.revision(session, two, (people["ann"],), effective_from=NIGHT, zone="UTC")
    assert make(session, own_zone="Asia/Tokyo").calculator.rules.zone == "Asia/Tokyo"


def test_too_many_rotations_are_rejected_not_truncated(
    session: Session, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_call_hours, "MOST_ROTATIONS", 1)
    factories.rotation(session, team, "one")
    assert make(session).lines == []
    factories.rotation(session, team, "two")
    with pytest.raises(InvalidInput) as refused:
        make(session)
    assert list(refused.value.errors) == ["team"]


def test_too_many_shifts_are_rejected(
    session: Session, team: Team, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_call_hours, "MOST_SHIFTS", 2)
    for _ in range(2):
        factories.rotation(session, team, members=(people["ann"], people["bob"]))
    with pytest.raises(InvalidInput) as caught:
        make(session)
    assert list(caught.value.errors) == ["to"]


def test_the_number_of_statements_is_constant(
    session: Session, team: Team, people: People, query_count: Any
) -> None:
    def count(more: int) -> int:
        for _ in range(more):
            rotation = factories.rotation(session, team, members=tuple(people.values()))
            factories.override(session, rotation, people["ann"])
            page(session, team, people["ann"], NIGHT)
        session.expunge_all()
        with query_count() as statements:
            make(session)
        return len(statements)

    assert count(1) == count(8) <= 9
