"""The life cycle of an alert, taken from the program itself.

Actions of people come from the table of transitions. The effects of signals are found by
applying each kind of signal in each situation.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from incidentrelay.cli.tables import table
from incidentrelay.domain.alerts.transitions import TRANSITIONS, Action
from incidentrelay.domain.enums import AlertStatus, Outcome, Severity, SignalStatus
from incidentrelay.domain.intake.reducer import AlertState, IntakeBatch, SignalState, apply_signals
from incidentrelay.domain.intake.signals import IncomingSignal

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
WINDOW = timedelta(minutes=5)
_FIRING, _ACKNOWLEDGED, _RESOLVED = AlertStatus


@dataclass(frozen=True, slots=True)
class Situation:
    """The state when a signal arrives; ``resolved_ago`` is set for a resolved alert."""

    words: str
    status: AlertStatus | None
    resolved_ago: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """A signal from a source; ``others`` is the number of other signals still firing."""

    words: str
    status: SignalStatus
    known: bool
    severity: Severity = Severity.WARNING
    others: int = 0


@dataclass(frozen=True, slots=True)
class Effect:
    """The result. ``status`` is the alert's afterwards, or None without an alert."""

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
    """The effect of ``arrival``; None if it is impossible in this situation."""
    if arrival.others and situation.status in {None, _RESOLVED}:
        return None
    batch = _batch(arrival, situation)
    key = "known" if arrival.known else "new"
    item = IncomingSignal(key, arrival.status, arrival.severity, "Disk full")
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
    """Every transition, also to the same state, in a fixed order."""
    edges: dict[tuple[AlertStatus | None, AlertStatus], Edge] = {}
    for (before, after), word, by_people in _ways():
        edge = edges.get((before, after), Edge(before, after, (), ()))
        if by_people:
            edge = replace(edge, people=(*edge.people, word))
        elif word not in edge.sources:
            edge = replace(edge, sources=(*edge.sources, word))
        edges[before, after] = edge
    return list(edges.values())


def _ways() -> Iterator[tuple[tuple[AlertStatus | None, AlertStatus], str, bool]]:
    for (before, action), after in TRANSITIONS.items():
        # Only sources reopen alerts.
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
    """The alert's new state after ``arrival``; None if unchanged."""
    result = effect(arrival, situation)
    if result is None or result.status is situation.status or result.outcome is Outcome.IGNORED:
        return None
    return result.status


def transitions() -> str:
    """The actions of people as a table: a row per action, a column per state."""
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
    """The effects of signals as a table: a row per arrival, a column per situation."""
    rows = [
        (arrival.words, *(_shown(effect(arrival, situation)) for situation in SITUATIONS))
        for arrival in ARRIVALS
    ]
    return table(("What arrives", *(situation.words for situation in SITUATIONS)), rows)


def _shown(result: Effect | None) -> str:
    if result is None:
        return "–"
    words = [f"`{result.outcome}`"]
    if result.outcome not in {Outcome.IGNORED, Outcome.DUPLICATE} and result.status is not None:
        words.append(f"the alert is {result.status}")
    if result.pages:
        words.append("**pages**")
    return ", ".join(words)
