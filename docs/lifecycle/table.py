"""The life of an alert as the program itself has it, for the documentation.

What people do is read from the table of transitions. What sources send is found out
by sending it: each kind of signal is given to :func:`fold` in each situation.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from incidentrelay.cli.tables import table
from incidentrelay.domain.alerts.transitions import TRANSITIONS, Action
from incidentrelay.domain.enums import AlertStatus, Outcome, Severity, SignalStatus
from incidentrelay.domain.intake.reducer import AlertState, IntakeBatch, SignalState, apply_signals
from incidentrelay.domain.intake.signals import Signal

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
WINDOW = timedelta(minutes=5)
_FIRING, _ACKNOWLEDGED, _RESOLVED = AlertStatus


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when something arrives; ``resolved_ago`` of an alert that is over."""

    words: str
    status: AlertStatus | None
    resolved_ago: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that a source sends; ``others`` is how many other signals fire on."""

    words: str
    status: SignalStatus
    known: bool
    severity: Severity = Severity.WARNING
    others: int = 0


@dataclass(frozen=True, slots=True)
class Effect:
    """What comes of it. ``status`` is the alert's afterwards, None where there is none."""

    outcome: Outcome
    status: AlertStatus | None
    pages: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """One arrow of the picture; ``before`` None: there was no alert."""

    before: AlertStatus | None
    after: AlertStatus
    people: tuple[str, ...]
    sources: tuple[str, ...]


SITUATIONS = (
    Situation("no open alert", None, timedelta(hours=1)),
    Situation("firing", _FIRING),
    Situation("acknowledged", _ACKNOWLEDGED),
    Situation("resolved within the window", _RESOLVED, timedelta(minutes=1)),
)
ARRIVALS = (
    Arrival("a new problem fires", SignalStatus.FIRING, known=False),
    Arrival("a new, worse problem fires", SignalStatus.FIRING, False, Severity.CRITICAL),
    Arrival("a known problem fires", SignalStatus.FIRING, known=True),
    Arrival("a problem is over, others are not", SignalStatus.RESOLVED, known=True, others=1),
    Arrival("the last problem is over", SignalStatus.RESOLVED, known=True),
    Arrival("an unknown problem is over", SignalStatus.RESOLVED, known=False),
)


def effect(arrival: Arrival, situation: Situation) -> Effect | None:
    """What ``arrival`` does; None where the two cannot meet."""
    if arrival.others and situation.status in {None, _RESOLVED}:
        return None
    batch = _batch(arrival, situation)
    key = "known" if arrival.known else "new"
    item = Signal(key, arrival.status, arrival.severity, "Disk full")
    (result,) = apply_signals([item], batch, lambda _item: "group", lambda _item: True).results
    alert = result.alert
    if alert is None:
        return Effect(result.outcome, None, pages=False)
    return Effect(result.outcome, alert.status, alert.page)


def _batch(arrival: Arrival, situation: Situation) -> IntakeBatch:
    alert = _alert(arrival, situation)
    is_open = alert.status is not _RESOLVED
    signal = SignalState(
        id=1,
        dedup_key="known",
        alert=alert,
        status=SignalStatus.FIRING if is_open else SignalStatus.RESOLVED,
        severity=alert.severity,
        title=alert.title,
        description="",
        labels={},
        annotations={},
        link=None,
        starts_at=alert.opened_at,
        start_from_source=True,
        ends_at=alert.resolved_at,
        end_from_source=alert.resolved_at is not None,
        resolved_at=alert.resolved_at,
        first_seen_at=alert.opened_at,
        last_seen_at=alert.opened_at,
    )
    for number in range(arrival.others + 1 if is_open else 0):
        alert.firing.add(replace(signal, dedup_key=f"other {number}") if number else signal)
    recent = situation.status is _RESOLVED
    return IntakeBatch(
        now=NOW,
        reopen_window=WINDOW,
        ack_covers=timedelta(hours=1),
        signals={"known": signal} if arrival.known else {},
        open_alerts={"group": alert} if is_open else {},
        recent_alerts={"group": alert} if recent else {},
    )


def _alert(arrival: Arrival, situation: Situation) -> AlertState:
    ago = situation.resolved_ago
    return AlertState(
        id=1,
        group_key="group",
        status=situation.status or _RESOLVED,
        severity=Severity.WARNING,
        title="Disk full",
        description="",
        labels={},
        annotations={},
        source_link=None,
        generation=1,
        opened_at=NOW - timedelta(hours=2),
        last_seen_at=NOW - timedelta(hours=2),
        resolved_at=None if ago is None else NOW - ago,
    )


def edges() -> list[Edge]:
    """Every way from one state to another, or to the same, in a fixed order."""
    found: dict[tuple[AlertStatus | None, AlertStatus], Edge] = {}
    for (before, after), word, by_people in _ways():
        edge = found.get((before, after), Edge(before, after, (), ()))
        if by_people:
            edge = replace(edge, people=(*edge.people, word))
        elif word not in edge.sources:
            edge = replace(edge, sources=(*edge.sources, word))
        found[before, after] = edge
    return list(found.values())


def _ways() -> Iterator[tuple[tuple[AlertStatus | None, AlertStatus], str, bool]]:
    for (before, action), after in TRANSITIONS.items():
        # Nobody reopens an alert by hand: only a source does.
        if action is not Action.REOPEN:
            yield (before, after), action, True
    for situation in SITUATIONS:
        ways = {arrival: _moved(arrival, situation) for arrival in ARRIVALS}
        firing = {ways[each] for each in ARRIVALS if each.status is SignalStatus.FIRING}
        for arrival, moved in ways.items():
            if moved is None:
                continue
            same = len(firing) == 1 and arrival.status is SignalStatus.FIRING
            words = "a problem fires" if same else arrival.words
            words += " within the window" if situation.status is _RESOLVED else ""
            yield (situation.status, moved), words, False


def _moved(arrival: Arrival, situation: Situation) -> AlertStatus | None:
    """The state to which ``arrival`` brings the alert; None: it stays as it is."""
    found = effect(arrival, situation)
    if found is None or found.status is situation.status or found.outcome is Outcome.IGNORED:
        return None
    return found.status


def transitions() -> str:
    """What people do, as a table: one row for each action, one column for each state."""
    rows = []
    for action in Action:
        if action is Action.REOPEN:
            continue
        cells = [_cell(status, TRANSITIONS.get((status, action))) for status in AlertStatus]
        rows.append((f"{action}", *cells))
    return table(("Action", *(f"when {status}" for status in AlertStatus)), rows)


def _cell(before: AlertStatus, after: AlertStatus | None) -> str:
    if after is None:
        return "not possible"
    return f"stays {after}" if before is after else f"**{after}**"


def arrivals() -> str:
    """What sources send, as a table: one row for each arrival, one column for each situation."""
    rows = [
        (arrival.words, *(_shown(effect(arrival, situation)) for situation in SITUATIONS))
        for arrival in ARRIVALS
    ]
    return table(("What arrives", *(situation.words for situation in SITUATIONS)), rows)


def _shown(found: Effect | None) -> str:
    if found is None:
        return "–"
    words = [f"`{found.outcome}`"]
    if found.outcome not in {Outcome.IGNORED, Outcome.DUPLICATE} and found.status is not None:
        words.append(f"the alert is {found.status}")
    if found.pages:
        words.append("**pages**")
    return ", ".join(words)
