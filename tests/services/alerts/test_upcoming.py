"""What a page promises is what the plan then does."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from incidentrelay.domain.actors import Actor
from incidentrelay.models import Silence, User
from incidentrelay.services.alerts import actions as alert_actions
from incidentrelay.services.alerts.upcoming import PlannedStep, planned_steps
from incidentrelay.services.escalation import runner as escalation_runner
from tests.support import pager as pagers
from tests.support.pager import MINUTE, NOW, Pager, a_signal


@pytest.fixture
def pager(database: Any) -> Pager:
    return pagers.build(database)


def future(pager: Pager, at: Any = NOW) -> list[PlannedStep]:
    with pager.database.read() as session:
        (alert,) = escalation_runner.load_alerts(session, [pager.alert(session).id])
        return planned_steps(session, alert, at)


def texts(pager: Pager, at: Any = NOW) -> list[str]:
    return [step.text for step in future(pager, at)]


def test_the_default_plan_goes_around_the_rotation(pager: Pager) -> None:
    pager.take(a_signal())
    found = future(pager)
    inbox = found[0].text.partition(" and ")[2]
    assert [(step.at, step.text) for step in found] == [
        (NOW + 1 * MINUTE, f"remind Ann and {inbox}"),
        (NOW + 2 * MINUTE, f"remind Ann and {inbox}"),
        (NOW + 3 * MINUTE, f"escalate to Bob and {inbox}"),
        (NOW + 4 * MINUTE, f"remind Bob and {inbox}"),
    ]


def test_what_is_promised_happens(pager: Pager) -> None:
    pager.take(a_signal())
    promised = future(pager)
    for step in promised:
        before = len(pager.timeline())
        assert pager.run_due(step.at - timedelta(seconds=1)) == 0
        assert pager.run_due(step.at) == 1
        assert len(pager.timeline()) == before + 1
    with pager.database.read() as session:
        assert pager.alert(session).assignee_id == pager.people["bob"]


def test_looking_writes_nothing(pager: Pager) -> None:
    pager.take(a_signal())
    statements: list[str] = []

    def note(_c: Any, _cur: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    engine = pager.database.reading
    event.listen(engine, "before_cursor_execute", note)
    future(pager)
    event.remove(engine, "before_cursor_execute", note)
    verbs = {statement.split()[0] for statement in statements}
    assert verbs <= {"SELECT", "BEGIN"}
    assert len([one for one in statements if one.startswith("SELECT")]) <= 14


def test_a_step_that_is_late_comes_now(pager: Pager) -> None:
    pager.take(a_signal())
    late = NOW + 10 * MINUTE
    assert [step.at for step in future(pager, late)][:2] == [late, late + MINUTE]


def test_after_a_snooze_the_plan_starts_again(pager: Pager) -> None:
    pager.take(a_signal())
    ann = Actor(name="ann", via="console", user_id=pager.people["ann"])
    with pager.database.write() as session:
        alert_actions.snooze(session, pager.alert(session), NOW + 30 * MINUTE, actor=ann, now=NOW)
    found = future(pager)
    assert found[0] == PlannedStep(
        NOW + 30 * MINUTE, "the snooze is over, and the plan starts again"
    )
    assert found[1].at == NOW + 30 * MINUTE
    assert found[1].text.startswith("page Ann")


def test_after_a_silence_too(pager: Pager) -> None:
    with pager.database.write() as session:
        silence = Silence(
            team_id=pager.team_id,
            matchers=["alertname=disk"],
            starts_at=NOW,
            ends_at=NOW + 60 * MINUTE,
            created_at=NOW,
            updated_at=NOW,
        )
        session.add(silence)
    pager.take(a_signal())
    found = texts(pager)
    assert found[0] == "the silence is over, and the plan starts again"
    assert found[1].startswith("page Ann")


@pytest.mark.parametrize(("timeout", "count"), [(None, 0), (600, 1)])
def test_an_acknowledged_alert_waits_for_its_timeout(
    pager: Pager, timeout: int | None, count: int
) -> None:
    pager.change(ack_timeout=timeout)
    pager.take(a_signal())
    ann = Actor(name="ann", via="console", user_id=pager.people["ann"])
    with pager.database.write() as session:
        alert_actions.acknowledge(session, pager.alert(session), actor=ann, now=NOW)
    found = future(pager)
    assert [step.at for step in found] == [NOW + 10 * MINUTE] * count


def test_a_resolved_alert_has_no_future(pager: Pager) -> None:
    pager.take(a_signal())
    pager.take(a_signal(resolved=True), at=NOW + MINUTE)
    assert future(pager) == []


def test_that_nobody_will_be_there_is_said(pager: Pager) -> None:
    pager.take(a_signal())
    pager.change(fallback_user_id=pager.people["fay"])
    with pager.database.write() as session:
        for name in ("bob", "cy", "ann"):
            session.get_one(User, pager.people[name]).active = False
    found = [text for text in texts(pager) if "nobody" in text]
    assert found
    assert "notify the fallback contact, Fay" in found[0]
