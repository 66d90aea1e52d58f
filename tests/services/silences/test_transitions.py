"""Silences start and end on time: firing alerts fall quiet, and page again."""

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from incidentrelay.db import Database, Hint
from incidentrelay.domain.enums import EventKind
from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.domain.intake.signals import IncomingSignal
from incidentrelay.models import Event, Route, Silence, Team
from incidentrelay.services.alerts import upcoming
from incidentrelay.services.escalation import runner as escalation_runner
from incidentrelay.services.silences import silence_queries, silences
from incidentrelay.services.silences import transitions as silence_transitions
from incidentrelay.services.silences.silence_queries import SilenceState
from tests.services.conftest import ADMIN
from tests.support import pager as pagers
from tests.support.pager import MINUTE, NOW, Pager, a_signal
from tests.support.situations import rotation
from tests.support.statements import statements

LOGGER = silence_transitions.__name__
HOUR, DAY = 60 * MINUTE, 24 * 60 * MINUTE
# NOW is a Tuesday, 10 March 2026, 12:00 UTC; New York's clocks went forward on the 8th.
WEEKLY = {
    "rule": "FREQ=WEEKLY;BYDAY=TU",
    "zone": "America/New_York",
    "starts_on": "2026-03-03",
    "start_time": "09:00",
    "duration": 3600,
}


@pytest.fixture
def pager(database: Database) -> Pager:
    return pagers.build(database)


def silence(pager: Pager, at: datetime = NOW, **data: Any) -> int:
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        given = {"matchers": ["alertname=disk"], **data}
        return silences.create(session, team, given, actor=ADMIN, now=at).id


def window(first: int, last: int) -> Mapping[str, datetime]:
    """A window between two numbers of minutes from now."""
    return {"starts_at": NOW + first * MINUTE, "ends_at": NOW + last * MINUTE}


def quiet_until(pager: Pager) -> datetime | None:
    with pager.database.read() as session:
        return pager.alert(session).quiet_until


def texts(pager: Pager, kind: EventKind) -> Sequence[str]:
    with pager.database.read() as session:
        return session.scalars(select(Event.text).where(Event.kind == kind)).all()


def next_change(pager: Pager, silence_id: int) -> datetime | None:
    with pager.database.read() as session:
        return session.get_one(Silence, silence_id).next_change_at


def pages(pager: Pager) -> int:
    return len([kind for kind, who, _ in pager.outbox() if kind == "page" and who in pager.people])


@pytest.mark.both_databases
def test_one_that_begins_later_covers_what_fires_then(pager: Pager) -> None:
    rotation(pager, reminder_interval=0)
    pager.take(a_signal())
    silence(pager, **window(5, 15))
    assert pager.change_silences(NOW + 4 * MINUTE) == 0
    assert quiet_until(pager) is None
    assert pager.change_silences(NOW + 5 * MINUTE) == 1
    assert quiet_until(pager) == NOW + 15 * MINUTE
    assert {state for _, _, state in pager.outbox()} == {"cancelled"}
    assert pager.timeline()[-1] == "silenced"


@pytest.mark.both_databases
@pytest.mark.parametrize("by", ["silences", "plans"])
def test_what_still_fires_pages_at_the_end_once(pager: Pager, by: str) -> None:
    """The sweep of silences and the wake-up of the alert each do it alone; both do it once."""
    rotation(pager, reminder_interval=0)
    pager.take(a_signal())
    silence(pager, **window(5, 15))
    pager.change_silences(NOW + 5 * MINUTE)
    end = NOW + 15 * MINUTE
    first, second = pager.change_silences, pager.run_due
    if by == "plans":
        first, second = second, first
    assert first(end) == 1
    assert pages(pager) == 2
    second(end)
    assert pages(pager) == 2
    assert pager.timeline().count("silence_ended") == 1


@pytest.mark.both_databases
def test_a_recurring_one_comes_again_on_the_wall_of_its_zone(pager: Pager) -> None:
    rotation(pager, reminder_interval=0)
    number = silence(pager, recurrence=WEEKLY)
    pager.take(a_signal())
    begin = NOW + HOUR  # 09:00 in New York is 13:00 UTC since the 8th of March
    assert next_change(pager, number) == begin
    for week in range(3):
        start = begin + week * 7 * DAY
        assert pager.change_silences(start) == 1
        assert quiet_until(pager) == start + HOUR
        assert next_change(pager, number) == start + HOUR
        assert pager.change_silences(start + HOUR) == 1
        assert quiet_until(pager) is None
        assert pages(pager) == week + 2
    assert next_change(pager, number) == begin + 21 * DAY


@pytest.mark.both_databases
def test_where_two_overlap_it_is_quiet_until_the_last_ends(pager: Pager) -> None:
    silence(pager, **window(0, 20))
    pager.take(a_signal(), at=NOW + MINUTE)
    assert quiet_until(pager) == NOW + 20 * MINUTE
    second = silence(pager, at=NOW + 2 * MINUTE, **window(10, 30))
    assert quiet_until(pager) == NOW + 30 * MINUTE
    for minute in (10, 20):
        pager.change_silences(NOW + minute * MINUTE)
        pager.run_due(NOW + minute * MINUTE)
    assert quiet_until(pager) == NOW + 30 * MINUTE
    assert pager.outbox() == []
    with pager.database.write() as session:
        row = session.get_one(Silence, second)
        silences.delete(session, row, actor=ADMIN, now=NOW + 25 * MINUTE)
    assert pages(pager) == 1


@pytest.mark.both_databases
def test_several_workers_change_a_silence_over_once(pager: Pager) -> None:
    rotation(pager, reminder_interval=0)
    pager.take(*[a_signal(f"disk{n}", labels={"alertname": "disk"}) for n in range(5)])
    silence(pager, **window(5, 15))
    pager.change_silences(NOW + 5 * MINUTE)
    before = len(pager.outbox())
    end = NOW + 15 * MINUTE
    both = threading.Barrier(2)

    def work(first: Any, second: Any) -> None:
        both.wait()
        first(end)
        second(end)

    workers = [
        threading.Thread(target=work, args=(pager.change_silences, pager.run_due)),
        threading.Thread(target=work, args=(pager.run_due, pager.change_silences)),
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    # Each alert pages ann's inbox and the channel; her mail is not counted in the outbox.
    assert len(pager.outbox()) == before + 5 * 2
    assert pager.timeline().count("silence_ended") == 5


def test_the_next_change_is_no_edit(pager: Pager) -> None:
    number = silence(pager, **window(5, 15))
    pager.change_silences(NOW + 5 * MINUTE)
    with pager.database.read() as session:
        row = session.get_one(Silence, number)
        assert (row.version, row.updated_at) == (1, NOW)
        assert row.next_change_at == NOW + 15 * MINUTE
    pager.change_silences(NOW + 15 * MINUTE)
    assert next_change(pager, number) is None


def test_workers_are_woken_at_the_next_change(pager: Pager) -> None:
    hints: list[Hint] = []
    pager.database.sink = hints.extend
    silence(pager, **window(5, 15))
    assert hints == [Hint("silences", pager.team_id, NOW + 5 * MINUTE)]
    pager.change_silences(NOW + 5 * MINUTE)
    assert hints[1:] == [Hint("silences", pager.team_id, NOW + 15 * MINUTE)]


def test_only_teams_with_something_to_do_are_found(pager: Pager) -> None:
    silence(pager, **window(5, 15))
    with pager.database.read() as session:
        for minute, expected in ((4, []), (5, [pager.team_id])):
            at = NOW + minute * MINUTE
            assert silence_transitions.due_team_ids(session, at, limit=10) == expected


def test_one_that_is_not_understood_any_more_covers_nothing(pager: Pager) -> None:
    number = silence(pager, recurrence={**WEEKLY, "start_time": "07:30"})
    with pager.database.write() as session:
        session.get_one(Silence, number).recurrence = {**WEEKLY, "zone": "Mars/Olympus"}
    pager.take(a_signal(), at=NOW)
    assert pages(pager) == 1
    assert pager.change_silences(NOW + HOUR) == 1


def test_an_unreadable_silence_is_logged_once_and_stops_no_other(
    pager: Pager, caplog: pytest.LogCaptureFixture
) -> None:
    broken = silence(pager, recurrence={**WEEKLY, "start_time": "07:30"})
    other = silence(pager, matchers=["alertname=other"], **window(5, 15))
    with pager.database.write() as session:
        session.get_one(Silence, broken).recurrence = {**WEEKLY, "zone": "Mars/Olympus"}
    assert pager.change_silences(NOW + HOUR) == 2
    assert pager.change_silences(NOW + HOUR + MINUTE) == 0
    (record,) = [record for record in caplog.records if record.name == LOGGER]
    assert record.getMessage().startswith(f"Silence {broken} is unreadable and covers nothing")
    assert (next_change(pager, broken), next_change(pager, other)) == (None, None)
    with pager.database.read() as session:
        row = session.get_one(Silence, broken)
        assert silence_queries.silence_state(row, NOW + HOUR) == SilenceState(
            active=False, unreadable=True
        )


def test_ending_one_now_pages_and_nothing_comes_again(pager: Pager) -> None:
    number = silence(pager, recurrence={**WEEKLY, "start_time": "07:30"})
    pager.take(a_signal())
    assert quiet_until(pager) is not None
    at = NOW + MINUTE
    with pager.database.write() as session:
        silences.end_silence(session, session.get_one(Silence, number), actor=ADMIN, now=at)
    assert pages(pager) == 1
    assert next_change(pager, number) is None
    with pager.database.write() as session:
        row = session.get_one(Silence, number)
        with pytest.raises(Conflict):
            silences.end_silence(session, row, actor=ADMIN, now=at)
    later = silence(pager, at=at, **window(5, 15))
    with pager.database.write() as session:
        row = session.get_one(Silence, later)
        with pytest.raises(Conflict):
            silences.end_silence(session, row, actor=ADMIN, now=at)


def test_a_recurring_one_knows_its_bounds(pager: Pager) -> None:
    number = silence(pager, recurrence={**WEEKLY, "rule": "FREQ=WEEKLY;COUNT=3"})
    first = datetime.fromisoformat("2026-03-03T14:00Z")
    with pager.database.write() as session:
        row = session.get_one(Silence, number)
        assert (row.starts_at, row.ends_at) == (first, NOW + HOUR + 7 * DAY + HOUR)
        silences.update(session, row, {"reason": "Move"}, actor=ADMIN, now=NOW)
        assert row.ends_at == NOW + HOUR + 7 * DAY + HOUR
        silences.update(session, row, {"recurrence": WEEKLY}, actor=ADMIN, now=NOW)
        assert (row.ends_at.year, row.version) == (2200, 3)
        cut = NOW + 30 * DAY
        silences.update(session, row, {"ends_at": cut}, actor=ADMIN, now=NOW)
        assert row.ends_at == cut
        with pytest.raises(InvalidInput) as error:
            silences.update(session, row, {"recurrence": None}, actor=ADMIN, now=NOW)
        assert list(error.value.errors) == ["ends_at"]
        once = {"recurrence": None, "ends_at": NOW + HOUR}
        silences.update(session, row, once, actor=ADMIN, now=NOW)
        assert (row.starts_at, row.recurrence) == (NOW, None)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"rule": "FREQ=HOURLY"}, "recurrence.rule"),
        ({"rule": "FREQ=DAILY;UNTIL=20260309"}, "recurrence.rule"),
        ({"zone": "Mars/Olympus"}, "recurrence.zone"),
        ({"starts_on": "soon"}, "recurrence.starts_on"),
        ({"starts_on": "1969-12-31"}, "recurrence.starts_on"),
        ({"start_time": "25:00"}, "recurrence.start_time"),
        ({"duration": 59}, "recurrence.duration"),
        ({"duration": 8 * 86400}, "recurrence.duration"),
        ({"also": 1}, "recurrence.also"),
    ],
)
def test_bad_recurrences(pager: Pager, change: Mapping[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as error:
        silence(pager, recurrence={**WEEKLY, **change})
    assert list(error.value.errors) == [field]


def test_a_start_beside_a_recurrence_is_refused(pager: Pager) -> None:
    with pytest.raises(InvalidInput) as error:
        silence(pager, recurrence=WEEKLY, starts_at=NOW)
    assert list(error.value.errors) == ["starts_at"]


def planned(pager: Pager, at: datetime) -> list[tuple[int, str]]:
    with pager.database.read() as session:
        (alert,) = escalation_runner.load_alerts(session, [pager.alert(session).id])
        found = upcoming.planned_steps(session, alert, at)
        return [((step.at - NOW) // MINUTE, step.text.split(" and ")[0]) for step in found]


def test_an_alerts_page_knows_silences_that_begin_later(pager: Pager) -> None:
    rotation(pager, reminder_interval=600)
    pager.take(a_signal())
    number = silence(pager, **window(15, 90))
    assert planned(pager, NOW) == [
        (10, "remind Ann"),
        (15, f"fall quiet, because silence {number} covers it"),
        (90, "page Ann"),
        (100, "remind Ann"),
    ]
    pager.change_silences(NOW + 15 * MINUTE)
    assert planned(pager, NOW + 20 * MINUTE) == [
        (90, "the silence is over, and the plan starts again".split(" and ")[0]),
        (90, "page Ann"),
        (100, "remind Ann"),
        (110, "remind Ann"),
    ]


def test_a_plan_that_has_ended_starts_again_after_a_silence(pager: Pager) -> None:
    rotation(pager, reminder_interval=0)
    pager.take(a_signal())
    pager.run_due(NOW + 10 * MINUTE)
    silence(pager, at=NOW + 11 * MINUTE, **window(15, 90))
    promised = planned(pager, NOW + 12 * MINUTE)
    assert [minute for minute, _ in promised][:2] == [15, 90]
    pager.change_silences(NOW + 15 * MINUTE)
    pager.run_due(NOW + 90 * MINUTE)
    assert pages(pager) == 2


def grouped(name: str, **labels: str) -> IncomingSignal:
    return a_signal(name, labels={"service": "db", **labels})


@pytest.fixture
def by_service(pager: Pager) -> Pager:
    """The pager with a route that groups alerts by service."""
    rotation(pager, reminder_interval=600)
    with pager.database.write() as session:
        session.get_one(Route, pager.route_id).group_by = ["service"]
    return pager


def test_what_joins_a_silenced_alert_and_is_not_silenced_pages(by_service: Pager) -> None:
    """An alert with two signals only has their common labels."""
    pager = by_service
    silence(pager, matchers=["host=a"], **window(0, 60))
    pager.take(grouped("disk", host="a"))
    assert quiet_until(pager) == NOW + HOUR
    pager.take(grouped("cpu", host="a"), at=NOW + MINUTE)
    assert quiet_until(pager) == NOW + HOUR
    assert pager.timeline().count("silenced") == 1
    pager.take(grouped("net", host="b"), at=NOW + 3 * MINUTE)
    assert quiet_until(pager) is None
    assert ("page", "ann", "pending") in pager.outbox()
    assert pager.timeline().count("silence_ended") == 1


DEV, PROD = grouped("one", env="dev"), grouped("two", env="prod")


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("matchers", "quiet"),
    [
        (['env!="prod"'], False),
        (["env=dev"], False),
        (["env=~dev|prod"], True),
        (["service=db"], True),
        # The signals have no env in common, but each has one.
        (['env=""', "service=db"], False),
    ],
)
@pytest.mark.parametrize("signals", [(DEV, PROD), (PROD, DEV)])
def test_a_silence_asks_each_signal_of_an_open_alert(
    by_service: Pager,
    matchers: list[str],
    quiet: bool,
    signals: tuple[IncomingSignal, IncomingSignal],
) -> None:
    pager = by_service
    pager.take(*signals)
    silence(pager, matchers=matchers, **window(0, 60))
    assert quiet_until(pager) == (NOW + HOUR if quiet else None)
    pager.run_due(NOW + 10 * MINUTE)
    reminded = ("reminder", "ann", "pending") in pager.outbox()
    assert reminded is not quiet


@pytest.mark.both_databases
def test_several_silences_cover_one_alert_until_the_first_ends(by_service: Pager) -> None:
    pager = by_service
    pager.take(DEV, PROD)
    first = silence(pager, matchers=["env=dev"], **window(0, 60))
    assert quiet_until(pager) is None
    second = silence(pager, matchers=["env=prod"], **window(0, 30))
    assert quiet_until(pager) == NOW + 30 * MINUTE
    assert planned(pager, NOW)[0] == (30, "the silence is over,")
    assert texts(pager, EventKind.SILENCED) == [
        f"Quiet: silences {first} and {second} cover it until 2026-03-10 12:30 UTC."
    ]
    pager.change_silences(NOW + 30 * MINUTE)
    assert quiet_until(pager) is None
    assert pages(pager) == 2
    assert texts(pager, EventKind.SILENCE_ENDED) == ["The silence is over for 1 of 2 signals."]


@pytest.mark.both_databases
def test_an_edit_that_no_longer_covers_one_signal_pages(by_service: Pager) -> None:
    pager = by_service
    number = silence(pager, matchers=["env=~dev|prod"], **window(0, 60))
    pager.take(DEV, PROD)
    for matchers, quiet in ((["env=dev"], False), (["service=db"], True)):
        with pager.database.write() as session:
            row = session.get_one(Silence, number)
            silences.update(session, row, {"matchers": matchers}, actor=ADMIN, now=NOW)
        assert (quiet_until(pager) is not None) is quiet


@pytest.mark.both_databases
def test_a_silence_of_the_only_signal_left_takes_effect(by_service: Pager) -> None:
    """The labels that two signals shared lacked its instance."""
    pager = by_service
    first, second = grouped("disk", instance="a"), grouped("net", instance="b")
    over = a_signal("net", resolved=True, labels=second.labels)
    pager.take(first, second)
    pager.take(over, at=NOW + MINUTE)
    pager.take(first, at=NOW + 2 * MINUTE)
    silence(pager, matchers=["instance=a"], **window(0, 60))
    assert quiet_until(pager) == NOW + HOUR


def test_the_plan_ahead_asks_each_signal(by_service: Pager) -> None:
    pager = by_service
    pager.take(DEV, PROD)
    silence(pager, matchers=["env!=prod"], **window(15, 90))
    assert not any("quiet" in text for _, text in planned(pager, NOW))
    number = silence(pager, matchers=["env=prod"], **window(25, 60))
    assert planned(pager, NOW) == [
        (10, "remind Ann"),
        (20, "remind Ann"),
        (25, f"fall quiet, because silences {number - 1}"),
        (60, "page Ann"),
    ]


def test_reconsidering_costs_no_more_for_many_alerts(
    by_service: Pager,
) -> None:
    pager = by_service
    silence(pager, matchers=["env!=prod"], **window(0, 60))
    costs = []
    for services in ("a", "bcdefg"):
        for service in services:
            labels = {"service": service, "env": "prod"}
            pager.take(*[a_signal(f"{service}-{each}", labels=labels) for each in range(3)])
        with statements(pager.database) as sent, pager.database.write() as session:
            escalation_runner.reconsider(session, pager.team_id, now=NOW)
        costs.append(len(sent))
    assert costs[1] == costs[0]
