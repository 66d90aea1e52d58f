"""Conditions of steps: how they are stored, and how plans with them run."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from incidentrelay.db import Database
from incidentrelay.domain.enums import Severity
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.models import Alert, Event, RotationLayer, Route, Team, User
from incidentrelay.services.alerts import actions as alert_actions
from incidentrelay.services.alerts import upcoming
from incidentrelay.services.escalation import policies
from incidentrelay.services.simulation import simulate as simulation
from incidentrelay.services.simulation.forecast import SimulationForecast, StepKind
from tests.services.conftest import ADMIN
from tests.services.simulation.test_simulate import Everything
from tests.support import factories
from tests.support import pager as pagers
from tests.support.pager import MINUTE, NOW, Pager, a_signal

HOURS = {"weekdays": [4, 0], "opens": "18:00", "closes": "09:00", "zone": "Europe/Paris"}
WAIT = {"wait_for_on_call": 7200}


@pytest.fixture
def pager(database: Database) -> Pager:
    return pagers.build(database)


def use(pager: Pager, *steps: dict[str, Any], repeat: int = 0) -> None:
    """Give the route a policy with these steps."""
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        policy = factories.policy(session, team, "night", steps=list(steps), repeat=repeat)
        session.get_one(Route, pager.route_id).policy_id = policy.id


def step(pager: Pager, who: str, delay: int = 0, **conditions: Any) -> dict[str, Any]:
    targets = [{"kind": "user", "id": pager.people[who]}]
    return {"delay": delay, "targets": targets, "conditions": conditions}


def on_call(pager: Pager, delay: int = 0, **conditions: Any) -> dict[str, Any]:
    targets = [{"kind": "rotation", "id": pager.rotation_id}]
    return {"delay": delay, "targets": targets, "conditions": conditions}


def only_from(pager: Pager, opens: str) -> None:
    """Somebody is on call from ``opens`` UTC until midnight, every day."""
    with pager.database.write() as session:
        layer = session.scalars(select(RotationLayer)).one()
        layer.windows = [{"weekday": day, "opens": opens, "closes": "00:00"} for day in range(7)]


def texts(pager: Pager, kind: str) -> list[str]:
    with pager.database.read() as session:
        query = select(Event.text).where(Event.kind == kind).order_by(Event.id)
        return list(session.scalars(query))


def forecast(pager: Pager, at: datetime = NOW, **values: Any) -> SimulationForecast:
    with pager.database.read() as session:
        route = simulation.find_route(session, Everything(), pager.route_id)
        return simulation.simulate_request(session, route, [a_signal(**values)], at).items[0]


def test_conditions_are_stored_as_they_are_written(
    session: Session, team: Team, people: dict[str, User], now: datetime
) -> None:
    factories.rotation(session, team, "primary")
    conditions = {"severity": "high", "hours": HOURS, **WAIT}
    given = {"delay": 0, "targets": [{"kind": "rotation", "name": "primary"}]}
    data = {"name": "Night", "steps": [{**given, "conditions": conditions}]}
    policy = policies.create(session, team, data, actor=ADMIN, now=now)
    hours = {**HOURS, "weekdays": [0, 4]}
    expected = {"severity": "high", "hours": hours, **WAIT}
    assert policy.steps[0]["conditions"] == expected
    (shown,) = policies.public_steps(session, [policy])[policy.id]
    assert shown["conditions"] == expected


@pytest.mark.parametrize(
    ("conditions", "field"),
    [
        (7, "conditions"),
        ({"moon": "full"}, "conditions.moon"),
        ({"severity": "bad"}, "conditions.severity"),
        ({"hours": 7}, "conditions.hours"),
        ({"hours": {**HOURS, "zone": "Europe/Nowhere"}}, "conditions.hours.zone"),
        ({"hours": {**HOURS, "weekdays": []}}, "conditions.hours.weekdays"),
        ({"hours": {**HOURS, "weekdays": [7]}}, "conditions.hours.weekdays"),
        ({"hours": {**HOURS, "opens": "25:00"}}, "conditions.hours.opens"),
        ({"hours": {"zone": "UTC"}}, "conditions.hours.opens"),
        ({"wait_for_on_call": 59}, "conditions.wait_for_on_call"),
        ({"wait_for_on_call": 604801}, "conditions.wait_for_on_call"),
        (WAIT, "conditions.wait_for_on_call"),
    ],
)
def test_bad_conditions_are_named(
    session: Session,
    team: Team,
    people: dict[str, User],
    now: datetime,
    conditions: Any,
    field: str,
) -> None:
    given = {"delay": 0, "targets": [{"kind": "user", "name": "bob"}], "conditions": conditions}
    with pytest.raises(InvalidInput) as caught:
        policies.create(session, team, {"name": "N", "steps": [given]}, actor=ADMIN, now=now)
    assert f"steps.0.{field}" in caught.value.errors


def test_a_step_is_passed_over_and_says_why(pager: Pager) -> None:
    use(pager, step(pager, "ann", severity="high"), step(pager, "bob", 300))
    pager.take(a_signal(severity=Severity.LOW))
    assert pager.outbox() == []
    assert texts(pager, "step_skipped") == [
        "Skipped a step of the plan. It is for severity high and above, and this is low."
    ]
    pager.run_due(NOW + 5 * MINUTE)
    assert pager.outbox() == [("escalation", "bob", "pending")]


def test_where_no_step_applies_the_fallback_contact_is_told(pager: Pager) -> None:
    pager.change(fallback_user_id=pager.people["fay"])
    use(pager, step(pager, "ann", severity="high"), step(pager, "bob", severity="critical"))
    pager.take(a_signal(severity=Severity.LOW))
    assert pager.outbox() == [("fallback", "fay", "pending")]
    assert texts(pager, "step_skipped")[-1] == (
        "No step of the plan applies, so nobody was notified."
    )
    pager.run_due(NOW + 5 * MINUTE)
    assert "escalation_exhausted" in pager.timeline()
    assert pager.outbox() == [("fallback", "fay", "pending")] * 2


def test_after_nobody_the_next_step_that_applies_is_at_once(pager: Pager) -> None:
    only_from(pager, "23:00")
    use(pager, on_call(pager), step(pager, "bob", 600, severity="high"), step(pager, "cy", 600))
    pager.take(a_signal(severity=Severity.LOW))
    assert pager.outbox() == [("escalation", "cy", "pending")]


def test_a_rise_of_the_severity_begins_the_plan_again(pager: Pager) -> None:
    use(pager, step(pager, "ann", severity="high"), step(pager, "bob", 300))
    pager.take(a_signal(severity=Severity.LOW))
    pager.take(a_signal(severity=Severity.CRITICAL), at=NOW + MINUTE)
    assert pager.outbox() == [("page", "ann", "pending")]


@pytest.mark.parametrize("floor", ["low", "critical", None])
def test_a_rise_that_no_step_asks_for_does_not(pager: Pager, floor: str | None) -> None:
    use(pager, step(pager, "ann", severity=floor), step(pager, "bob", 300))
    pager.take(a_signal(severity=Severity.MEDIUM))
    before = pager.outbox()
    pager.take(a_signal(severity=Severity.HIGH), at=NOW + MINUTE)
    assert pager.outbox() == before


def test_a_rise_does_not_end_a_silence(pager: Pager) -> None:
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        window = {"starts_at": NOW - MINUTE, "ends_at": NOW + timedelta(hours=1)}
        factories.silence(session, team, matchers=["alertname=disk"], **window)
    use(pager, step(pager, "ann", severity="high"))
    pager.take(a_signal(severity=Severity.LOW))
    pager.take(a_signal(severity=Severity.CRITICAL), at=NOW + MINUTE)
    assert pager.outbox() == []
    pager.run_due(NOW + timedelta(hours=1))
    assert pager.outbox() == [("page", "ann", "pending")]


def test_a_step_waits_for_the_next_shift(pager: Pager) -> None:
    """NOW is noon."""
    pager.change(fallback_user_id=pager.people["fay"])
    only_from(pager, "13:30")
    use(pager, on_call(pager, **WAIT), step(pager, "bob", 300))
    pager.take(a_signal())
    assert pager.outbox() == []
    assert texts(pager, "step_waits")[0].startswith("Nobody is on call. The plan waits")
    assert pager.run_due(NOW + 89 * MINUTE) == 0
    pager.run_due(NOW + 90 * MINUTE)
    assert pager.outbox() == [("page", "ann", "pending")]


def test_it_does_not_wait_longer_than_it_may(pager: Pager) -> None:
    pager.change(fallback_user_id=pager.people["fay"])
    only_from(pager, "14:30")
    use(pager, on_call(pager, **WAIT), step(pager, "bob", 300))
    pager.take(a_signal())
    assert pager.outbox() == [("fallback", "fay", "pending"), ("escalation", "bob", "pending")]


def test_an_acknowledgement_ends_the_wait(pager: Pager) -> None:
    only_from(pager, "13:30")
    use(pager, on_call(pager, **WAIT))
    pager.take(a_signal())
    with pager.database.write() as session:
        alert_actions.acknowledge(session, pager.alert(session), actor=ADMIN, now=NOW + MINUTE)
    assert pager.run_due(NOW + timedelta(days=1)) == 0
    assert pager.outbox() == []


def test_a_simulation_tells_what_waits_and_what_is_passed_over(pager: Pager) -> None:
    only_from(pager, "13:30")
    use(pager, on_call(pager, **WAIT), step(pager, "bob", 300, severity="high"))
    found = forecast(pager, severity=Severity.LOW)
    assert [each.kind for each in found.steps] == [
        StepKind.WAITS,
        StepKind.PAGE,
        StepKind.PASSED_OVER,
        StepKind.EXHAUSTED,
    ]
    assert found.steps[0].until == NOW + 90 * MINUTE
    assert found.steps[1].people[0].username == "ann"
    assert any("the plan waits until Tue 13:30 UTC" in text for text in found.sentences)
    assert any("a step is skipped. It is for severity" in text for text in found.sentences)


def test_the_future_of_an_alert_tells_it_too(pager: Pager) -> None:
    only_from(pager, "13:30")
    use(pager, step(pager, "bob", 60, severity="high"), on_call(pager, 60, **WAIT))
    pager.take(a_signal(severity=Severity.LOW))
    with pager.database.read() as session:
        ahead = upcoming.planned_steps(session, alert_with_team(session), NOW)
    assert [each.text for each in ahead] == [
        "a step is skipped",
        "nobody is on call, and the plan waits for the next shift",
        "escalate to Ann",
        "the plan ends",
    ]


def alert_with_team(session: Session) -> Alert:
    return session.scalars(select(Alert).options(joinedload(Alert.team))).one()
