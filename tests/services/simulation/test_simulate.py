"""A simulation predicts what then happens, and changes nothing."""

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from incidentrelay.db import Database
from incidentrelay.domain.enums import GroupRole, Outcome, TeamRole
from incidentrelay.domain.errors import InvalidInput, NotFound
from incidentrelay.domain.intake.signals import Rejection, SignalItem
from incidentrelay.models import (
    Base,
    Channel,
    Group,
    Notification,
    Rotation,
    Route,
    Silence,
    Team,
    User,
)
from incidentrelay.services.simulation import simulate as simulation
from incidentrelay.services.simulation.alert_forecast import HORIZON, MOST_STEPS
from incidentrelay.services.simulation.forecast import (
    ForecastStep,
    SimulationForecast,
    StepKind,
)
from incidentrelay.services.simulation.simulate import Simulation
from tests.support import factories
from tests.support import pager as pagers
from tests.support.pager import MINUTE, NOW, Pager, a_signal
from tests.support.situations import (
    ALL,
    LATER,
    PASTS,
    PEOPLE,
    PLANS,
    SILENCES,
    Situation,
    acknowledged,
    grouped,
    rotation,
    signal,
    taken,
    with_policy,
)

SOME = random.Random(20).sample(ALL, 60)


@pytest.fixture
def pager(database: Database) -> Pager:
    return pagers.build(database)


def ask(pager: Pager, *items: SignalItem, at: datetime = LATER) -> Simulation:
    with pager.database.read() as session:
        route = simulation.find_route(session, Everything(), pager.route_id)
        return simulation.simulate_request(session, route, items, at)


def forecast(pager: Pager, *items: SignalItem, at: datetime = LATER) -> SimulationForecast:
    return ask(pager, *items, at=at).items[-1]


class Everything:
    """The memberships of a site admin."""

    is_admin = True
    groups: Mapping[int, GroupRole] = {}
    teams: Mapping[int, TeamRole] = {}
    bound_group_id: int | None = None


def written(pager: Pager, alert_id: int | None, at: datetime) -> set[tuple[Any, ...]]:
    """(kind, who, method) of all notifications of the alert written at ``at``."""
    with pager.database.read() as session:
        query = select(Notification).where(
            Notification.created_at == at, Notification.alert_id == alert_id
        )
        return {
            (str(row.kind), row.user_id or f"c{row.channel_id}", row.method)
            for row in session.scalars(query)
        }


def told(pager: Pager, steps: list[ForecastStep]) -> set[tuple[Any, ...]]:
    """The same as :func:`written`, from the steps."""
    with pager.database.read() as session:
        channels = {row.slug: row.id for row in session.scalars(select(Channel))}
    found: set[tuple[Any, ...]] = set()
    for step in steps:
        for person in step.people:
            user_id = pager.people[person.username]
            found |= {(str(step.kind), user_id, method) for method in person.methods}
        found |= {(str(step.kind), f"c{channels[c.slug]}", c.kind) for c in step.channels}
    return found


@pytest.mark.parametrize("situation", SOME, ids=str)
def test_what_is_simulated_is_what_happens(pager: Pager, situation: Situation) -> None:
    situation.make(pager)
    said = forecast(pager, signal())
    (verdict,) = pager.take(signal(), at=LATER)
    assert (said.outcome, said.alert_status) == (verdict.outcome, verdict.status)
    assert said.alert_id == (None if verdict.created else verdict.id)
    assert said.dedup_key == verdict.dedup_key
    running = said.plan is not None and said.plan.running
    at_once = [step for step in said.steps if step.at == LATER and not running]
    assert told(pager, at_once) == written(pager, verdict.id, LATER)
    with pager.database.read() as session:
        alert = pager.alert(session, verdict.id)
        assert alert.group_key == said.group_key
        quiet = alert.quiet_until if alert.quiet_reason == "silence" else None
        assert (said.silence.until if said.silence else None) == quiet
        assert pager.people.get(said.assignee or "") == alert.assignee_id
    _check_future(pager, said, verdict.id)


def _check_future(pager: Pager, said: SimulationForecast, alert_id: int | None) -> None:
    """Run the alert's plan as workers do, and compare each wake-up with the steps."""
    expected = {step.at for step in said.steps if step.at > LATER}
    for _ in range(8):
        wake_at = next_of(pager, alert_id)
        if wake_at is None:
            assert expected == set()
            return
        at = max(wake_at, LATER)
        if said.more and at >= said.steps[-1].at:
            return
        # A step without a delay is due at the very instant of the one before.
        while wake_at is not None and wake_at <= at:
            pager.change_silences(at)
            pager.run_due(at)
            wake_at = next_of(pager, alert_id)
        steps = [step for step in said.steps if step.at == at]
        assert told(pager, steps) == written(pager, alert_id, at)
        expected.discard(at)


def next_of(pager: Pager, alert_id: int | None) -> datetime | None:
    """When the alert's plan runs next by itself, or a silence begins or ends."""
    with pager.database.read() as session:
        plan = pager.alert(session, alert_id).wake_at
        silence = session.scalar(select(func.min(Silence.next_change_at)))
        return min((at for at in (plan, silence) if at is not None), default=None)


@pytest.mark.both_databases
@pytest.mark.parametrize("past", ["new", "repeat", "reopen"])
def test_nothing_is_written(pager: Pager, past: str, query_count: Callable[[], Any]) -> None:
    PASTS[past](pager)
    before = _everything(pager)
    with query_count() as statements:
        ask(pager, signal(), signal(key="new one"), signal(resolved=True))
    assert {statement.split()[0] for statement in statements} == {"SELECT"}
    assert not [one for one in statements if "FOR UPDATE" in one or "FOR NO KEY" in one]
    assert _everything(pager) == before


def _everything(pager: Pager) -> dict[str, list[Any]]:
    with pager.database.read() as session:
        return {
            table.name: sorted(map(repr, session.execute(select(table))))
            for table in Base.metadata.sorted_tables
        }


def test_the_number_of_statements_does_not_grow(
    pager: Pager, query_count: Callable[[], Any]
) -> None:
    pager.take(*[a_signal(f"old{number}") for number in range(50)])
    counts = []
    for size in (1, 50):
        items = [a_signal(f"{kind}{n}") for n in range(size) for kind in ("old", "new")]
        with query_count() as statements:
            ask(pager, *items)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 30


def test_the_steps_are_told_until_the_plan_has_run_out(pager: Pager) -> None:
    with_policy(pager)
    said = forecast(pager, signal())
    assert [(step.kind, (step.at - LATER) // MINUTE) for step in said.steps] == [
        (StepKind.PAGE, 0),
        (StepKind.ESCALATION, 5),
        (StepKind.PAGE, 5),
        (StepKind.ESCALATION, 10),
        (StepKind.EXHAUSTED, 15),
    ]
    assert said.plan is not None
    assert (said.plan.source, said.plan.policy, said.more) == ("policy", "Standard", False)
    assert [step.assignee for step in said.steps] == ["ann", "ann", "ann", "ann", "ann"]


def test_a_plan_without_end_is_cut(pager: Pager) -> None:
    said = forecast(pager, signal())
    assert (len(said.steps), said.more) == (MOST_STEPS, True)
    rotation(pager, reminder_interval=6 * 3600)
    said = forecast(pager, signal())
    assert (len(said.steps), said.more) == (5, True)
    assert said.steps[-1].at == LATER + HORIZON


def test_who_is_on_call_is_asked_for_the_time_of_each_step(pager: Pager) -> None:
    with_policy(pager)
    with pager.database.write() as session:
        row = session.get_one(Rotation, pager.rotation_id)
        cy = session.get_one(User, pager.people["cy"])
        factories.override(
            session, row, cy, starts_at=LATER + 3 * MINUTE, ends_at=LATER + 20 * MINUTE
        )
    pages = [step for step in forecast(pager, signal()).steps if step.kind is StepKind.PAGE]
    assert [step.people[0].username for step in pages] == ["ann", "cy"]
    assert pages[0].people[0].until == LATER + 3 * MINUTE
    assert pages[1].people[0].until == LATER + 20 * MINUTE


def test_sentences_of_a_page(pager: Pager) -> None:
    with pager.database.write() as session:
        route = session.get_one(Route, pager.route_id)
        route.matchers = ["alertname=disk", 'cluster=~"x|y"']
        route.name = "Prometheus"
        session.get_one(Rotation, pager.rotation_id).name = "Primary"
    with_policy(pager)
    assert forecast(pager, signal()).sentences[:5] == (
        "Route Prometheus accepts it: all 2 matchers match.",
        "It opens a new alert.",
        "Its plan is the policy Standard, version 1.",
        "Ann is on call in Primary until Mon 09:00 UTC and is paged at once by e-mail and inbox.",
        "At 12:15 UTC, if nobody has reacted, Ann is paged by e-mail and inbox; "
        f"Bob is paged by e-mail and inbox; channel {channel_name(pager)} gets a message.",
    )


def channel_name(pager: Pager) -> str:
    with pager.database.read() as session:
        return session.scalars(select(Channel.name)).one()


def test_sentences_of_what_is_not_taken(pager: Pager) -> None:
    with pager.database.write() as session:
        session.get_one(Route, pager.route_id).matchers = ["alertname=disk", "site=a"]
    wrong, rejected = ask(pager, a_signal("cpu"), Rejection("It is empty.")).items
    assert [(check.label, check.value, check.matched) for check in wrong.matchers] == [
        ("alertname", "cpu", False),
        ("site", None, False),
    ]
    assert (wrong.outcome, wrong.steps, wrong.plan) == (Outcome.REJECTED, (), None)
    assert wrong.sentences[0].endswith(
        'does not accept it: alertname="disk" does not match, because the label alertname is '
        '“cpu” and site="a" does not match, because there is no label site.'
    )
    assert rejected.sentences[0].endswith("cannot use it: It is empty.")


SPOKEN = [
    ("silenced", "Silence 1 covers it until Tue 12:25 UTC; no one is paged before then."),
    ("silenced", "It opens a new alert."),
    ("silenced later", "At 12:12 UTC, the alert goes quiet. Quiet: silence 1 covers it until"),
    ("repeat", "It repeats a signal of alert 1; nothing new starts."),
    ("repeat", "Its plan, which is already running, is the default plan of rotation"),
    ("acknowledged", "The alert is acknowledged, so no one is paged."),
    ("reopen", "It reopens alert 1, which was resolved recently."),
    ("nobody", "there is no one to page: the rotation has nobody at this time"),
    ("nobody", "The team has no fallback contact to notify."),
    ("paused", "there is no one to page: the rotation has nobody at this time"),
    ("policy", "At 12:25 UTC, if nobody has reacted, the plan ends."),
    ("new", "The plan continues after that."),
]


@pytest.mark.parametrize(("way", "sentence"), SPOKEN, ids=[f"{w}: {s[:30]}" for w, s in SPOKEN])
def test_sentences(pager: Pager, way: str, sentence: str) -> None:
    {**SILENCES, **PLANS, **PEOPLE, **PASTS}[way](pager)
    spoken = forecast(pager, signal()).sentences
    assert [one for one in spoken if sentence.lower() in one.lower()], spoken


def test_an_acknowledgement_that_runs_out_is_told(pager: Pager) -> None:
    pager.change(ack_timeout=1800)
    acknowledged(pager)
    said = forecast(pager, signal())
    assert (said.outcome, said.steps) == (Outcome.DUPLICATE, ())
    again = "At 12:39 UTC, the acknowledgement runs out, and the plan starts again."
    assert again in said.sentences


def test_the_items_of_one_payload_meet_each_other(pager: Pager) -> None:
    grouped(pager)
    first, second, third = ask(
        pager, signal(), signal(key="b"), signal(key="b", resolved=True)
    ).items
    outcomes = [first.outcome, second.outcome, third.outcome]
    assert outcomes == [Outcome.CREATED, Outcome.UPDATED, Outcome.RESOLVED]
    assert first.group_key == second.group_key == "cluster=x"
    assert first.steps == second.steps == third.steps != ()
    assert "It joins the alert of another item, which is already open." in (second.sentences)
    assert "Alerts are grouped; the group is cluster=x." in first.sentences


def test_what_resolves_everything_has_no_future(pager: Pager) -> None:
    taken(pager)
    said = forecast(pager, signal(resolved=True))
    assert (said.outcome, said.plan, said.steps) == (Outcome.RESOLVED, None, ())
    assert "It resolves alert 1, and paging stops." in said.sentences
    assert "It changes nothing: No open alert has this signal." in (
        forecast(pager, signal(key="unknown", resolved=True)).sentences
    )


@pytest.mark.parametrize("part", ["route", "team", "group"])
def test_what_is_switched_off_takes_nothing(pager: Pager, part: str) -> None:
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        if part == "route":
            session.get_one(Route, pager.route_id).enabled = False
        elif part == "team":
            team.active = False
        else:
            session.get_one(Group, team.group_id).active = False
    answer = ask(pager, signal())
    assert not answer.takes_in
    (said,) = answer.items
    assert (said.outcome, said.steps) == (None, ())
    assert said.sentences[0].startswith(part.title())
    assert "is disabled" in said.sentences[0]


def test_routes_are_found_by_id_and_by_address(pager: Pager) -> None:
    with pager.database.read() as session:
        by_id = simulation.find_route(session, Everything(), pager.route_id)
        name = ("ops", "core", by_id.slug)
        assert simulation.find_route(session, Everything(), name) is by_id
        for wrong in (10**6, ("ops", "core", "none"), ("none", "core", by_id.slug)):
            with pytest.raises(NotFound):
                simulation.find_route(session, Everything(), wrong)


def test_an_instant_that_no_schedule_is_about(pager: Pager) -> None:
    for year in (1900, 2500):
        with pytest.raises(InvalidInput):
            ask(pager, signal(), at=NOW.replace(year=year))


def test_the_first_and_the_last_instant_that_can_be_asked_about(pager: Pager) -> None:
    for at in (datetime(1970, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, 23, tzinfo=UTC)):
        assert ask(pager, signal(), at=at).at == at


def test_another_instant_is_another_person(pager: Pager) -> None:
    week = timedelta(weeks=1)
    assert [forecast(pager, signal(), at=NOW + n * week).assignee for n in range(3)] == [
        "ann",
        "bob",
        "cy",
    ]
