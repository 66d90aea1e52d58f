"""Plans that run: reminders, the next member, nobody on call, silences, exhaustion."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from incidentrelay.db import Database
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import AlertStatus
from incidentrelay.models import Event, Route, Silence, User
from incidentrelay.services.alerts import actions as alert_actions
from incidentrelay.services.escalation import runner as escalation_runner
from tests.support import factories
from tests.support.pager import MINUTE, NOW, Pager, a_signal, build

pytestmark = pytest.mark.both_databases


@pytest.fixture
def pager(database: Database) -> Pager:
    return build(database)


def act(pager: Pager, name: str, action: Any, *args: Any, at: Any = NOW) -> None:
    actor = Actor(name=name.title(), via="api", user_id=pager.people[name])
    with pager.database.write() as session:
        action(session, pager.alert(session), *args, actor=actor, now=at)


def test_it_reminds_twice_and_then_pages_the_next_member(pager: Pager) -> None:
    pager.take(a_signal())
    for minute in (1, 2, 3, 4):
        assert pager.run_due(NOW + minute * MINUTE) == 1
    people = [(kind, who) for kind, who, _ in pager.outbox() if not who.startswith("channel")]
    assert people == [
        ("page", "ann"),
        ("reminder", "ann"),
        ("reminder", "ann"),
        ("escalation", "bob"),
        ("reminder", "bob"),
    ]


def test_nothing_is_due_too_early(pager: Pager) -> None:
    pager.take(a_signal())
    assert pager.run_due(NOW + 59 * timedelta(seconds=1)) == 0


def test_an_acknowledgement_stops_everything(pager: Pager) -> None:
    pager.take(a_signal())
    act(pager, "ann", alert_actions.acknowledge, at=NOW + MINUTE)
    assert pager.run_due(NOW + 60 * MINUTE) == 0
    assert {state for _, _, state in pager.outbox()} == {"cancelled"}
    with pager.database.read() as session:
        alert = pager.alert(session)
        assert alert.status is AlertStatus.ACKNOWLEDGED
        assert alert.acknowledged_by_id == pager.people["ann"]


def test_acknowledging_twice_is_one_event(pager: Pager) -> None:
    pager.take(a_signal())
    act(pager, "ann", alert_actions.acknowledge)
    act(pager, "bob", alert_actions.acknowledge)
    assert pager.timeline().count("acknowledged") == 1


def test_an_acknowledgement_can_time_out(pager: Pager) -> None:
    pager.change(ack_timeout=600)
    pager.take(a_signal())
    act(pager, "ann", alert_actions.acknowledge)
    assert pager.run_due(NOW + 9 * MINUTE) == 0
    assert pager.run_due(NOW + 10 * MINUTE) == 1
    assert pager.timeline()[-2:] == ["ack_timed_out", "paged"]
    assert [who for kind, who, state in pager.outbox() if state == "pending"] == [
        "ann",
        "channel:1",
    ]


def test_a_snooze_is_quiet_and_then_pages_from_the_beginning(pager: Pager) -> None:
    pager.take(a_signal())
    act(pager, "ann", alert_actions.snooze, NOW + 30 * MINUTE)
    assert pager.run_due(NOW + 29 * MINUTE) == 0
    assert pager.run_due(NOW + 30 * MINUTE) == 1
    assert pager.timeline()[-2:] == ["snooze_ended", "paged"]


def test_escalating_by_hand_pages_the_next_member_at_once(pager: Pager) -> None:
    pager.take(a_signal())
    act(pager, "ann", alert_actions.escalate, at=NOW + MINUTE / 2)
    assert ("escalation", "bob", "pending") in pager.outbox()


def test_an_acknowledged_alert_can_be_escalated(pager: Pager) -> None:
    pager.take(a_signal())
    act(pager, "ann", alert_actions.acknowledge)
    act(pager, "ann", alert_actions.escalate, at=NOW + MINUTE)
    assert ("escalation", "bob", "pending") in pager.outbox()
    with pager.database.read() as session:
        assert pager.alert(session).status is AlertStatus.FIRING


def test_an_assignment_pages_the_assignee(pager: Pager) -> None:
    pager.take(a_signal())
    with pager.database.write() as session:
        cy = session.get_one(User, pager.people["cy"])
        actor = Actor(name="Ann", via="api", user_id=pager.people["ann"])
        alert_actions.assign(session, pager.alert(session), cy, actor=actor, now=NOW)
    assert ("assignment", "cy", "pending") in pager.outbox()
    pager.run_due(NOW + MINUTE)
    assert ("reminder", "cy", "pending") in pager.outbox()


def test_nobody_on_call_is_seen_and_the_fallback_is_told(pager: Pager) -> None:
    pager.change(fallback_user_id=pager.people["fay"])
    with pager.database.write() as session:
        for name in ("ann", "bob", "cy"):
            session.get_one(User, pager.people[name]).active = False
    pager.take(a_signal())
    assert "nobody_on_call" in pager.timeline()
    assert ("fallback", "fay", "pending") in pager.outbox()
    with pager.database.read() as session:
        wake_at = pager.alert(session).wake_at
        assert wake_at is not None
        assert wake_at > NOW


def test_a_paused_rotation_has_nobody_and_the_fallback_is_told(pager: Pager) -> None:
    pager.change(fallback_user_id=pager.people["fay"])
    with pager.database.write() as session:
        session.get_one(factories.models.Rotation, pager.rotation_id).enabled = False
    pager.take(a_signal())
    assert "nobody_on_call" in pager.timeline()
    assert ("fallback", "fay", "pending") in pager.outbox()


def test_a_route_that_leads_to_nobody_is_not_silent(pager: Pager) -> None:
    pager.change(fallback_user_id=pager.people["fay"])
    with pager.database.write() as session:
        session.get_one(Route, pager.route_id).rotation_id = None
        session.execute(update(factories.models.Channel).values(enabled=False))
    pager.take(a_signal())
    assert "nobody_on_call" in pager.timeline()
    assert ("fallback", "fay", "pending") in pager.outbox()


def test_a_policy_that_finds_nobody_goes_on_at_once(pager: Pager) -> None:
    with pager.database.write() as session:
        session.get_one(User, pager.people["ann"]).active = False
        route = session.get_one(Route, pager.route_id)
        steps = [
            {"delay": 0, "targets": [{"kind": "user", "id": pager.people["ann"]}]},
            {"delay": 900, "targets": [{"kind": "user", "id": pager.people["cy"]}]},
        ]
        team = factories.models.Team
        policy = factories.policy(session, session.get_one(team, pager.team_id), steps=steps)
        route.policy_id = policy.id
    pager.take(a_signal())
    assert ("escalation", "cy", "pending") in pager.outbox()


def test_an_exhausted_policy_tells_the_fallback_and_says_so(pager: Pager) -> None:
    pager.change(fallback_user_id=pager.people["fay"])
    with pager.database.write() as session:
        steps = [{"delay": 0, "targets": [{"kind": "user", "id": pager.people["ann"]}]}]
        team = session.get_one(factories.models.Team, pager.team_id)
        policy = factories.policy(session, team, steps=steps)
        session.get_one(Route, pager.route_id).policy_id = policy.id
    pager.take(a_signal())
    pager.run_due(NOW + 5 * MINUTE)
    assert "escalation_exhausted" in pager.timeline()
    assert ("fallback", "fay", "pending") in pager.outbox()
    with pager.database.read() as session:
        assert pager.alert(session).wake_at is None


def silence_it(pager: Pager) -> None:
    with pager.database.write() as session:
        team = session.get_one(factories.models.Team, pager.team_id)
        factories.silence(session, team, matchers=["alertname=disk"], ends_at=NOW + 60 * MINUTE)
        escalation_runner.reconsider(session, pager.team_id, now=NOW + MINUTE / 2)


def test_a_silenced_alert_is_quiet_and_pages_when_the_silence_ends(pager: Pager) -> None:
    silence_it(pager)
    pager.take(a_signal(), at=NOW + MINUTE)
    assert pager.outbox() == []
    assert pager.run_due(NOW + 59 * MINUTE) == 0
    assert pager.run_due(NOW + 60 * MINUTE) == 1
    assert pager.outbox()[0][:2] == ("page", "ann")
    assert "silence_ended" in pager.timeline()


def test_a_silence_covers_what_fires_already(pager: Pager) -> None:
    pager.take(a_signal())
    silence_it(pager)
    assert {state for _, _, state in pager.outbox()} == {"cancelled"}
    assert pager.run_due(NOW + 30 * MINUTE) == 0


def test_ending_a_silence_early_pages_at_once(pager: Pager) -> None:
    silence_it(pager)
    pager.take(a_signal(), at=NOW + MINUTE)
    with pager.database.write() as session:
        session.delete(session.scalars(select(Silence)).one())
        escalation_runner.reconsider(session, pager.team_id, now=NOW + 2 * MINUTE)
    assert pager.outbox()[0][:2] == ("page", "ann")


def test_a_human_resolve_is_final_until_the_source_fires_again(pager: Pager) -> None:
    pager.take(a_signal())
    act(pager, "ann", alert_actions.resolve)
    assert pager.run_due(NOW + 60 * MINUTE) == 0
    (again,) = pager.take(a_signal(), at=NOW + MINUTE)
    assert again.outcome == "reopened"


def remove_contacts(pager: Pager, *names: str) -> None:
    with pager.database.write() as session:
        ids = [pager.people[name] for name in names]
        session.execute(update(User).where(User.id.in_(ids)).values(email=None))


def page_by_policy(pager: Pager, *steps: dict[str, Any]) -> None:
    with pager.database.write() as session:
        team = session.get_one(factories.models.Team, pager.team_id)
        policy = factories.policy(session, team, steps=list(steps))
        session.get_one(Route, pager.route_id).policy_id = policy.id


def test_somebody_without_a_contact_method_falls_back(pager: Pager) -> None:
    pager.change(fallback_user_id=pager.people["fay"])
    remove_contacts(pager, "cy")
    page_by_policy(pager, {"delay": 0, "targets": [{"kind": "user", "id": pager.people["cy"]}]})
    pager.take(a_signal())
    assert ("fallback", "fay", "pending") in pager.outbox()
    with pager.database.read() as session:
        texts = list(session.scalars(select(Event.text)))
    assert "Nobody can be reached: Cy has no contact method." in texts


def test_a_fallback_contact_who_left_leaves_a_trace(pager: Pager) -> None:
    pager.change(fallback_user_id=pager.people["fay"])
    with pager.database.write() as session:
        session.get_one(User, pager.people["fay"]).active = False
        session.get_one(User, pager.people["cy"]).active = False
    page_by_policy(pager, {"delay": 0, "targets": [{"kind": "user", "id": pager.people["cy"]}]})
    pager.take(a_signal())
    with pager.database.read() as session:
        texts = list(session.scalars(select(Event.text)))
    assert "Nobody can be reached: the person of this step is no longer available." in texts
    trace = "Nobody can be reached: the team's fallback contact is no longer available."
    assert trace in texts


def test_a_reminder_for_somebody_who_left_goes_to_the_person_on_call(pager: Pager) -> None:
    """The row was changed without the service, as a restored backup may be."""
    pager.take(a_signal())
    with pager.database.write() as session:
        session.get_one(User, pager.people["ann"]).active = False
    pager.run_due(NOW + MINUTE)
    assert ("reminder", "bob", "pending") in pager.outbox()
    assert "nobody_on_call" not in pager.timeline()


def test_a_person_of_another_group_is_not_named(pager: Pager) -> None:
    page_by_policy(pager, {"delay": 0, "targets": [{"kind": "user", "id": pager.people["cy"]}]})
    with pager.database.write() as session:
        member = factories.models.GroupMember
        session.execute(delete(member).where(member.user_id == pager.people["cy"]))
    pager.take(a_signal())
    assert "cy" not in {who for _, who, _ in pager.outbox()}
    with pager.database.read() as session:
        assert not any("Cy" in text for text in session.scalars(select(Event.text)))
