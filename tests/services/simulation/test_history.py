"""Explanations: the facts that are stored, and their wording."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from incidentrelay.db import Database
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import EventKind
from incidentrelay.models import Event, Rotation, RotationOverride, Route, Team, User
from incidentrelay.services.alerts import actions as alert_actions
from incidentrelay.services.intake import receive as intake_receive
from incidentrelay.services.intake.provenance import (
    LONGEST,
    MOST_MATCHERS,
    IntakeCredential,
    IntakeSender,
    provenance_facts,
)
from incidentrelay.services.intake.receive import IntakeRequestBody
from incidentrelay.services.simulation import history as alert_history
from incidentrelay.services.simulation import wording as explanation_wording
from incidentrelay.services.simulation.wording import ReasonReader
from tests.support import factories, situations
from tests.support.pager import MINUTE, NOW, Pager, a_signal, build

pytestmark = pytest.mark.both_databases


@pytest.fixture
def pager(database: Database) -> Pager:
    return build(database)


def told(pager: Pager, **how: Any) -> list[tuple[str, str]]:
    with pager.database.read() as session:
        if how:
            events = session.scalars(select(Event).order_by(Event.id)).all()
            names = alert_history.rotation_names(session, events)
            found = explanation_wording.word_reasons(events, ReasonReader(names, **how))
        else:
            found = alert_history.explain_events(session, pager.alert(session))
    return [(str(reason.about), reason.text) for reason in found]


def change_route(pager: Pager, **columns: Any) -> None:
    with pager.database.write() as session:
        session.execute(update(Route).values(**columns))


def test_a_page_is_explained_from_the_token_to_the_channel(pager: Pager) -> None:
    change_route(pager, matchers=["cluster=x"], group_by=["cluster"], name="Incoming")
    pager.take(situations.signal())
    with pager.database.read() as session:
        hint = session.scalars(select(Route.token_hint)).one()
        rotation, channel = pager.rotation_id, "Channel"
        name = session.get_one(Rotation, rotation).name
    found = told(pager)
    assert found[:5] == [
        ("token", f"It was sent with the token that starts with {hint}."),
        ("route", "Route Incoming accepted it, because the token belongs to this route."),
        ("matchers", "Its only matcher matches: cluster=x."),
        (
            "group",
            "Alerts are grouped: cluster is “x”. The group had no open alert, "
            "so it opened a new alert.",
        ),
        ("plan", "Step 1 of 4 of the default plan ran."),
    ]
    about, person = found[5]
    assert about == "people"
    assert person.startswith(f"Ann was paged by inbox and e-mail: on call in {name} by the layer ")
    assert person.endswith(" UTC.")
    assert found[6][0] == "channels"
    assert found[6][1].startswith(channel)


def test_the_reader_is_you_and_the_clock_is_theirs(pager: Pager) -> None:
    pager.take(a_signal())
    mine = dict(told(pager, zone="Asia/Tokyo", reader_id=pager.people["ann"]))["people"]
    assert mine.startswith("You were paged by inbox and e-mail: on call in")
    assert mine.endswith("JST.")
    assert "Ann was" in dict(told(pager, zone="Gone/Zone", reader_id=0))["people"]


def test_an_override_is_named(pager: Pager) -> None:
    with pager.database.write() as session:
        bob = session.get_one(User, pager.people["bob"])
        rotation = session.get_one(Rotation, pager.rotation_id)
        factories.override(session, rotation, bob)
    pager.take(a_signal())
    assert "by an override until Tue 10 Mar 13:00 UTC." in dict(told(pager))["people"]
    with pager.database.write() as session:
        session.execute(delete(RotationOverride))
    assert "by an override" in dict(told(pager))["people"]


def test_reminders_and_the_next_member_are_explained(pager: Pager) -> None:
    pager.take(a_signal())
    for minute in (1, 2, 3):
        pager.run_due(NOW + minute * MINUTE)
    people = [text for about, text in told(pager) if about == "people"]
    assert "Ann was reminded by inbox and e-mail: the alert was assigned to them." in people
    assert people[-1].startswith("Bob was paged by inbox and e-mail: next in ")


def test_a_policy_says_its_name_version_and_step(pager: Pager) -> None:
    situations.with_policy(pager)
    pager.take(a_signal())
    pager.run_due(NOW + 5 * MINUTE)
    plan = [text for about, text in told(pager) if about == "plan"]
    assert plan == [
        "Step 1 of 2 of the policy Standard (version 1) ran.",
        "Step 2 of 2 of the policy Standard (version 1) ran.",
    ]
    people = [text for about, text in told(pager) if about == "people"]
    assert people[-1].endswith("Bob was paged by inbox and e-mail: the step names them.")


def test_a_silence_is_a_reason(pager: Pager) -> None:
    situations.silent(pager, NOW - MINUTE, 30)
    pager.take(a_signal())
    found = told(pager)
    assert [about for about, _ in found][-1] == "silence"
    assert "silence 1 covers it" in found[-1][1]
    with pager.database.read() as session:
        line = session.scalars(select(Event).where(Event.kind == EventKind.SILENCED)).one()
        assert line.data["silences"] == [1]


def test_nobody_on_call_and_the_fallback_are_explained(pager: Pager) -> None:
    pager.change(fallback_user_id=pager.people["fay"])
    with pager.database.write() as session:
        for name in ("ann", "bob", "cy"):
            session.get_one(User, pager.people[name]).active = False
    pager.take(a_signal())
    people = [text for about, text in told(pager) if about == "people"]
    assert "Nobody is on call: the rotation has nobody at this time. This was step 1" in people[0]
    assert "Fay was notified by inbox and e-mail: the team's fallback contact." in people


def test_what_people_did_is_explained(pager: Pager) -> None:
    pager.take(a_signal())
    with pager.database.write() as session:
        cy = session.get_one(User, pager.people["cy"])
        actor = Actor(name="Cy", via="api", user_id=cy.id)
        alert = pager.alert(session)
        alert_actions.comment(session, alert, "Looking.", actor=actor, now=NOW)
        alert_actions.escalate(session, alert, actor=actor, now=NOW)
        alert_actions.assign(session, alert, cy, actor=actor, now=NOW)
        alert_actions.acknowledge(session, alert, actor=actor, now=NOW)
    found = told(pager)
    assert ("plan", "Escalated by Cy.") in found
    assert ("people", "Assigned to Cy by Cy.") in found
    assert ("people", "Cy was paged by inbox and e-mail.") in found
    assert found[-1] == ("plan", "Acknowledged by Cy.")
    assert not any("Looking" in text for _, text in found)


@pytest.mark.parametrize(
    ("sender", "words"),
    [
        (IntakeSender(IntakeCredential.PERSONAL, "Rex"), "Rex sent it with a personal token."),
        (
            IntakeSender(IntakeCredential.TEST, "Mona"),
            "Mona sent it as a test of the route, without a token.",
        ),
    ],
)
def test_other_doors_are_named(pager: Pager, sender: IntakeSender, words: str) -> None:
    raw = IntakeRequestBody(b"{}", False, "127.0.0.1", sender)
    with pager.database.write() as session:
        route = intake_receive.lock_route(session, pager.route_id, NOW)
        intake_receive.receive_request(session, route, [a_signal()], raw, NOW)
    assert told(pager)[0] == ("token", words)


def test_a_timeline_without_facts_tells_what_it_can(pager: Pager) -> None:
    pager.take(a_signal())
    with pager.database.write() as session:
        session.execute(update(Event).values(data={}))
    assert told(pager)[:2] == [
        ("route", "A source sent: disk is full."),
        ("people", "Page: Ann, Channel1.".replace("Channel1", _channel(pager))),
    ]


def _channel(pager: Pager) -> str:
    with pager.database.read() as session:
        text: str = session.scalars(select(Event.text).where(Event.kind == EventKind.PAGED)).one()
    return text.removeprefix("Page: Ann, ")


def test_a_long_story_keeps_its_beginning(pager: Pager, monkeypatch: pytest.MonkeyPatch) -> None:
    pager.take(a_signal())
    for minute in range(1, 6):
        pager.run_due(NOW + minute * MINUTE)
    monkeypatch.setattr(alert_history, "MOST_EVENTS", 2)
    found = told(pager)
    assert found[0][0] == "token"
    assert sum(about == "plan" for about, _ in found) == 2


def test_facts_are_small_and_hold_no_secret(pager: Pager) -> None:
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        token = "ir_route_secret-token-of-this-route"
        matchers = [f'label{number}!="{"x" * 900}"' for number in range(50)]
        route = factories.route(
            session, team, "long", token=token, matchers=matchers, group_by=["a"]
        )
        facts = provenance_facts(route, IntakeSender(), {"a": "y" * 5000}, "k" * 5000)
    written = json.dumps(facts)
    assert token not in written
    assert len(facts["matchers"]) == MOST_MATCHERS
    assert facts["more_matchers"] == 30
    assert len(written) < (MOST_MATCHERS + 3) * (LONGEST + 30)


def test_reopening_is_explained_again(pager: Pager) -> None:
    pager.take(a_signal())
    pager.take(a_signal(resolved=True), at=NOW + MINUTE)
    later = NOW + timedelta(minutes=2)
    pager.take(a_signal(starts_at=later), at=later)
    texts = [text for about, text in told(pager) if about == "group"]
    assert texts[-1] == (
        "The route does not group. No alert with the key disk was open, "
        "so it opened this alert again."
    )


def test_a_deleted_rotation_is_said(pager: Pager) -> None:
    pager.take(a_signal())
    with pager.database.read() as session:
        events = session.scalars(select(Event).order_by(Event.id)).all()
        found = explanation_wording.word_reasons(events, ReasonReader())
    assert any("on call in a deleted rotation" in reason.text for reason in found)
