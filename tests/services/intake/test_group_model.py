"""A group under random signals, people and silences does what the oracle says.

The source's clock is hours before or behind ours, and a person acts in between.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from incidentrelay.db import Database
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import EventKind, NotificationKind, Severity
from incidentrelay.domain.messages import Message
from incidentrelay.models import Alert, Event, Notification, Route, Signal, Silence, Team
from incidentrelay.services.alerts import actions
from incidentrelay.services.intake import refires
from incidentrelay.services.silences import silences
from tests.services.conftest import ADMIN
from tests.services.intake.group_oracle import GroupOracle, Item
from tests.support.pager import NOW, Pager, a_signal, build

HOSTS = ("db1", "db2", "db3")
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Draw:
    """One item as drawn: its times are turns of the source's clock, so that they meet."""

    host: str
    resolved: bool
    severity: str
    text: str
    start: str
    end: str


@dataclass
class World:
    """The program and the oracle, given the same things. ``skew`` is the source's clock."""

    pager: Pager
    skew: timedelta
    now: datetime
    oracle: GroupOracle = field(default_factory=GroupOracle)
    starts: dict[str, datetime] = field(default_factory=dict)
    silence_id: int | None = None

    def send(self, draws: list[Draw]) -> None:
        items = [self._item(draw) for draw in draws]
        outcomes = [
            str(verdict.outcome) for verdict in self.pager.take(*map(_signal, items), at=self.now)
        ]
        assert outcomes == self.oracle.send(items, self.now)

    def _item(self, draw: Draw) -> Item:
        there = self.now + self.skew
        before = self.starts.get(draw.host, there)
        choices = {"none": None, "now": there, "same": before, "earlier": before - 3 * SECOND}
        starts_at = choices[draw.start]
        if not draw.resolved and starts_at is not None:
            self.starts[draw.host] = starts_at
        ends = {
            "none": None,
            "now": there,
            "just": there - 2 * 60 * SECOND,
            "long": before - SECOND,
        }
        return Item(
            draw.host,
            draw.resolved,
            draw.severity,
            draw.text,
            starts_at,
            ends[draw.end] if draw.resolved else None,
        )

    def wait(self, time: timedelta) -> None:
        """Until a sweep that finds what was held and is due."""
        self.now += time
        with self.pager.database.write() as session:
            refires.apply_refires(session, self.pager.route_id, self.now)
        self.oracle.wait(self.now)

    def acknowledge(self) -> None:
        alert = self.oracle.open
        if alert is not None:
            self._act(actions.acknowledge)
        self.oracle.acknowledge(self.now)

    def resolve(self) -> None:
        if self.oracle.open is not None:
            self._act(actions.resolve)
        self.oracle.resolve(self.now)

    def _act(self, action: Any) -> None:
        with self.pager.database.write() as session:
            actor = Actor(name="Bob", via="api", user_id=self.pager.people["bob"])
            action(session, self.pager.alert(session), actor=actor, now=self.now)

    def silence(self, matcher: str, hosts: set[str]) -> None:
        """In place of the silence before, if there was one."""
        with self.pager.database.write() as session:
            team = session.get_one(Team, self.pager.team_id)
            if self.silence_id is not None:
                row = session.get_one(Silence, self.silence_id)
                silences.delete(session, row, actor=ADMIN, now=self.now)
                self.oracle.silence(set())
                self.silence_id = None
            if hosts:
                ends_at = self.now + timedelta(days=7)
                data = {"matchers": [matcher], "ends_at": ends_at}
                row = silences.create(session, team, data, actor=ADMIN, now=self.now)
                self.silence_id = row.id
        self.oracle.silence(hosts)

    def check(self) -> None:
        """The newest alert is, shows and has paged what the oracle says."""
        if self.oracle.alert is None:
            return
        expected = self.oracle.alert
        with self.pager.database.read() as session:
            alert = self.pager.alert(session)
            assert alert.status == expected.status
            assert (alert.severity, alert.title, alert.labels) == self.oracle.shown()
            assert (alert.quiet_until is not None) == self.oracle.quiet
            rows = select(Signal.dedup_key, Signal.status).where(Signal.alert_id == alert.id)
            fires = {key: status == "firing" for key, status in session.execute(rows)}
            assert fires == {key: signal.fires for key, signal in expected.signals.items()}
            held = select(Signal.dedup_key).where(Signal.refire_at.is_not(None))
            assert set(session.scalars(held)) == self.oracle.held()
            paged = select(func.count()).select_from(Event).where(Event.kind == EventKind.PAGED)
            assert session.scalar(paged) == self.oracle.pages
            if expected.status == "acknowledged":
                assert _told(session, alert) == expected.joined

    def forget(self) -> None:
        with self.pager.database.write() as session:
            for model in (Alert, Silence):
                session.query(model).delete()


def _told(session: Any, alert: Alert) -> int:
    """Of how many signals that joined the person who acknowledged is told."""
    query = select(Notification).where(
        Notification.alert_id == alert.id,
        Notification.generation == alert.generation,
        Notification.kind == NotificationKind.UPDATE,
        Notification.step > 0,
        Notification.method == "inbox",
    )
    rows = list(session.scalars(query))
    assert len(rows) <= 1
    return sum(Message.from_json(row.message).joined for row in rows)


def _signal(item: Item) -> Any:
    return a_signal(
        item.host,
        resolved=item.resolved,
        severity=Severity(item.severity),
        title=item.title,
        labels={"group": "all", "host": item.host},
        starts_at=item.starts_at,
        ends_at=item.ends_at,
    )


Step = tuple[str, Any]


def draws(
    host: str | None = None, resolved: bool | None = None, **fixed: str
) -> st.SearchStrategy[Draw]:
    times = {
        "start": st.sampled_from(["same", "now", "earlier", "none"]),
        "end": st.sampled_from(["now", "just", "long", "none"]),
    }
    return st.builds(
        Draw,
        host=st.sampled_from(HOSTS) if host is None else st.just(host),
        resolved=st.booleans() if resolved is None else st.just(resolved),
        severity=st.sampled_from(["low", "warning", "critical"]),
        text=st.sampled_from(["is down", "is slow"]),
        **times | {name: st.just(value) for name, value in fixed.items()},
    )


SILENCES = {
    "group=all": set(HOSTS),
    "host=db1": {"db1"},
    "host!=db1": {"db2", "db3"},
    "host=~db2|db3": {"db2", "db3"},
    "": set(),
}


def do(what: str, *given: Any) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(what), st.sampled_from(given) if given else st.none())


def send(
    host: str | None = None, resolved: bool | None = None, **fixed: str
) -> st.SearchStrategy[Step]:
    return st.tuples(st.just("send"), draws(host, resolved, **fixed).map(lambda draw: [draw]))


WAITS = do("wait", 1, 59, 61, 240, 301, 3601)
STEPS = st.one_of(
    st.tuples(st.just("send"), st.lists(draws(), min_size=1, max_size=3)),
    WAITS,
    do("acknowledge"),
    do("resolve"),
    do("silence", *SILENCES),
).map(lambda step: [step])
# What rarely meets by chance: comes and goes of one host, and what joins others.
EPISODES = st.one_of(
    st.tuples(send("db1", False), WAITS, send("db1", True), WAITS, send("db1", False)),
    # A refire with the old start, once, and what may follow it.
    st.tuples(
        send("db1", False, start="now"),
        WAITS,
        send("db1", True, end="now"),
        do("wait", 1, 59),
        send("db1", False, start="same"),
        st.one_of(WAITS, send("db1", True), send("db2", False), do("resolve")),
        WAITS,
    ),
    st.tuples(send("db1", False), do("acknowledge"), WAITS, send(None, False)),
    st.tuples(send("db1", False), do("silence", *SILENCES), send("db2", False), send(None, True)),
    st.tuples(send("db1", False), send("db2", False), send(None, True), send("db3", False)),
).map(list)
STORIES = st.lists(st.one_of(STEPS, EPISODES), min_size=1, max_size=6).map(
    lambda parts: [step for part in parts for step in part]
)


def play(world: World, step: Step) -> None:
    what, given = step
    match what:
        case "send":
            world.send(given)
        case "wait":
            world.wait(given * SECOND)
        case "acknowledge":
            world.acknowledge()
        case "resolve":
            world.resolve()
        case "silence":
            world.silence(given, SILENCES[given])
    world.check()


def test_a_group_does_what_the_oracle_says(database: Database) -> None:
    pager = build(database)
    with database.write() as session:
        session.get_one(Route, pager.route_id).group_by = ["group"]

    @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from([-3, 0, 3]), STORIES)
    def run(skew: int, steps: list[Step]) -> None:
        world = World(pager, timedelta(hours=skew), NOW)
        try:
            for step in steps:
                play(world, step)
        finally:
            world.forget()

    run()
