"""Situations in which a signal can arrive, combined from variants of each kind."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.intake.signals import IncomingSignal
from incidentrelay.models import Rotation, Route, RouteChannel, Team, User
from incidentrelay.services.alerts import actions as alert_actions
from tests.support import factories
from tests.support.pager import MINUTE, NOW, Pager, a_signal

# When the signal comes in; the pasts are before it.
LATER = NOW + 10 * MINUTE
LABELS = {"alertname": "disk", "cluster": "x"}


def signal(**values: Any) -> IncomingSignal:
    return a_signal(**{"labels": LABELS, **values})


# Each way of a situation changes something of the pager before anything is asked.


def silent(pager: Pager, start: datetime, minutes: int, label: str = "disk") -> None:
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        window = {"starts_at": start, "ends_at": start + minutes * MINUTE}
        factories.silence(session, team, matchers=[f"alertname={label}"], **window)


def with_policy(pager: Pager, delay: int = 0) -> None:
    """Ann's rotation first, then bob and the channel, twice; then it has run out."""
    with pager.database.write() as session:
        team, route = session.get_one(Team, pager.team_id), session.get_one(Route, pager.route_id)
        channel = route_channel(session, route)
        steps = [
            {"delay": delay, "targets": [{"kind": "rotation", "id": pager.rotation_id}]},
            {
                "delay": 300,
                "notify_assignee_again": True,
                "targets": [
                    {"kind": "user", "id": pager.people["bob"]},
                    {"kind": "channel", "id": channel},
                ],
            },
        ]
        route.policy_id = factories.policy(session, team, "standard", steps=steps, repeat=1).id


def route_channel(session: Any, route: Route) -> int:
    query = select(RouteChannel.channel_id).where(RouteChannel.route_id == route.id)
    found: int = session.scalars(query).one()
    return found


def without(pager: Pager, *names: str) -> None:
    with pager.database.write() as session:
        for name in names:
            session.get_one(User, pager.people[name]).active = False


def grouped(pager: Pager) -> None:
    with pager.database.write() as session:
        session.get_one(Route, pager.route_id).group_by = ["cluster"]


def taken(pager: Pager) -> None:
    """The same signal came before, ten minutes ago, and its plan has run since."""
    pager.take(signal())
    for minute in range(1, 10):
        pager.run_due(NOW + minute * MINUTE)


def joined(pager: Pager) -> None:
    """An alert of the same group, or of the same labels, is there."""
    pager.take(signal(key="other"))


def acknowledged(pager: Pager) -> None:
    taken(pager)
    ann = Actor(name="ann", via="console", user_id=pager.people["ann"])
    with pager.database.write() as session:
        alert_actions.acknowledge(session, pager.alert(session), actor=ann, now=NOW + 9 * MINUTE)


def resolved(pager: Pager, minute: int = 8) -> None:
    pager.take(signal())
    pager.take(signal(resolved=True), at=NOW + minute * MINUTE)


Way = Callable[[Pager], None]


def nothing(_pager: Pager) -> None:
    """Nothing changes."""


SILENCES: Mapping[str, Way] = {
    "no silence": nothing,
    "silenced": lambda pager: silent(pager, NOW, 25),
    "silenced later": lambda pager: silent(pager, LATER + 2 * MINUTE, 30),
    "silence of others": lambda pager: silent(pager, NOW, 60, "cpu"),
}
PLANS: Mapping[str, Way] = {
    "default plan": nothing,
    "policy": with_policy,
    "late policy": lambda pager: with_policy(pager, delay=90),
    "no reminders": lambda pager: rotation(pager, reminder_interval=0),
}
PEOPLE: Mapping[str, Way] = {
    "everybody": nothing,
    "ann away": lambda pager: without(pager, "ann"),
    "nobody": lambda pager: without(pager, "ann", "bob", "cy"),
    "paused": lambda pager: rotation(pager, enabled=False),
}
PASTS: Mapping[str, Way] = {
    "new": nothing,
    "repeat": taken,
    "other": joined,
    "acknowledged": acknowledged,
    "reopen": resolved,
    "new again": lambda pager: resolved(pager, 2),
}
ENDS: Mapping[str, Way] = {
    "no fallback": nothing,
    "fallback": lambda pager: pager.change(fallback_user_id=pager.people["fay"]),
}


def rotation(pager: Pager, **columns: Any) -> None:
    with pager.database.write() as session:
        row = session.get_one(Rotation, pager.rotation_id)
        for name, value in columns.items():
            setattr(row, name, value)


@dataclass(frozen=True)
class Situation:
    """Names of one way of each kind. The past is made before people leave or fall silent."""

    plan: str
    end: str
    group: bool
    past: str
    people: str
    silence: str

    def make(self, pager: Pager) -> None:
        PLANS[self.plan](pager)
        ENDS[self.end](pager)
        if self.group:
            grouped(pager)
        PASTS[self.past](pager)
        PEOPLE[self.people](pager)
        SILENCES[self.silence](pager)

    def __str__(self) -> str:
        group = "grouped" if self.group else "single"
        return f"{self.plan}, {self.end}, {group}, {self.past}, {self.people}, {self.silence}"


ALL = [
    Situation(*each)
    for each in itertools.product(PLANS, ENDS, (False, True), PASTS, PEOPLE, SILENCES)
]
