"""Late firing items are held: none is lost, and none pages that is resolved again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.domain.enums import AlertStatus, EventKind, Outcome, Severity
from incidentrelay.domain.intake.signals import IncomingSignal
from incidentrelay.domain.intake.state import SignalState
from tests.unit.domain.intake.routes import (
    FIRING,
    MINUTE,
    NOW,
    RESOLVED,
    SECOND,
    MemoryRoute,
    a_signal,
    only_alert,
    outcomes,
)

# By the source's clock, which is far off ours.
START = NOW - timedelta(hours=3)
END = START + 2 * MINUTE


@pytest.fixture
def route() -> MemoryRoute:
    """One signal that fired and was resolved at ``NOW``."""
    route = MemoryRoute()
    route.take(a_signal(starts_at=START), at=NOW - 2 * MINUTE)
    route.take(a_signal(status=RESOLVED, ends_at=END), at=NOW)
    return route


def signal(route: MemoryRoute) -> SignalState:
    assert route.batch is not None
    return route.batch.signals["disk"]


def refire(route: MemoryRoute, after: timedelta = 20 * SECOND, **values: object) -> None:
    batch = route.take(a_signal(**{"starts_at": START, **values}), at=NOW + after)
    assert outcomes(batch) == [Outcome.IGNORED]


def test_a_refire_that_comes_once_pages_when_the_window_ends(route: MemoryRoute) -> None:
    refire(route, severity=Severity.CRITICAL)
    assert signal(route).refire_at == NOW + MINUTE
    assert route.release(NOW + 59 * SECOND) is None
    batch = route.release(NOW + MINUTE)
    assert batch is not None
    assert outcomes(batch) == [Outcome.REOPENED]
    alert = only_alert(batch)
    assert (alert.page, alert.severity, alert.generation) == (True, "critical", 3)
    assert signal(route).refire is None
    assert route.release(NOW + 5 * MINUTE) is None


def test_what_is_held_opens_a_new_alert_once_the_old_one_is_too_old(route: MemoryRoute) -> None:
    """No worker ran for an hour."""
    refire(route)
    batch = route.release(NOW + timedelta(hours=1))
    assert batch is not None
    assert outcomes(batch) == [Outcome.CREATED]
    assert only_alert(batch).page


@pytest.mark.parametrize(
    ("ends_at", "drops"),
    [
        # A peer's copy of the resolve.
        (END, True),
        (END + MINUTE, True),
        (END - SECOND, True),
        (START, True),
        # It names no end, so it cannot be older.
        (None, True),
        # The end of an episode before.
        (START - SECOND, False),
    ],
)
def test_a_resolve_drops_what_is_held_unless_it_is_older(
    route: MemoryRoute, ends_at: datetime | None, drops: bool
) -> None:
    refire(route)
    batch = route.take(a_signal(status=RESOLVED, ends_at=ends_at), at=NOW + 40 * SECOND)
    (result,) = batch.results
    assert result.outcome is Outcome.IGNORED
    assert ("dropped" in result.reason) is drops
    assert [note.kind for note in batch.events] == [EventKind.SIGNAL_RESOLVED] * drops
    assert (route.release(NOW + MINUTE) is None) is drops


def test_a_resolve_with_nothing_held_says_nothing_of_it(route: MemoryRoute) -> None:
    batch = route.take(a_signal(status=RESOLVED, ends_at=END), at=NOW + SECOND)
    assert batch.results[0].reason == "Already resolved."
    assert batch.events == []


def test_the_last_word_wins(route: MemoryRoute) -> None:
    refire(route, 10 * SECOND)
    route.take(a_signal(status=RESOLVED, ends_at=END), at=NOW + 20 * SECOND)
    refire(route, 30 * SECOND, title="disk is gone")
    batch = route.release(NOW + MINUTE)
    assert batch is not None
    assert only_alert(batch).title == "disk is gone"


def test_copies_are_noted_once_and_the_last_one_counts(route: MemoryRoute) -> None:
    first = route.take(a_signal(starts_at=START), at=NOW + 10 * SECOND)
    second = route.take(a_signal(starts_at=START, title="disk is gone"), at=NOW + 11 * SECOND)
    assert [note.kind for note in first.events] == [EventKind.REFIRE_HELD]
    assert second.events == []
    text = "held until 12:01:00 UTC, unless the source resolves it again"
    assert text in first.events[0].text
    assert {text in batch.results[0].reason for batch in (first, second)} == {True}
    assert (signal(route).refire_at, signal(route).count) == (NOW + MINUTE, 4)
    batch = route.release(NOW + MINUTE)
    assert batch is not None
    assert only_alert(batch).title == "disk is gone"


@pytest.mark.parametrize("starts_at", [END + SECOND, None])
def test_an_item_that_is_not_late_takes_the_place_of_what_is_held(
    route: MemoryRoute, starts_at: datetime | None
) -> None:
    refire(route)
    batch = route.take(a_signal(starts_at=starts_at), at=NOW + 30 * SECOND)
    assert outcomes(batch) == [Outcome.REOPENED]
    assert route.release(NOW + 2 * MINUTE) is None


def test_what_is_held_joins_an_alert_that_is_open(route: MemoryRoute) -> None:
    route = MemoryRoute(group="all")
    route.take(a_signal(starts_at=START), a_signal("load"), at=NOW - 2 * MINUTE)
    route.take(a_signal(status=RESOLVED, ends_at=END), at=NOW)
    refire(route)
    batch = route.release(NOW + MINUTE)
    assert batch is not None
    assert [note.kind for note in batch.events] == [EventKind.SIGNAL_JOINED]
    assert len(only_alert(batch).firing) == 2


def test_a_clock_that_is_set_back_holds_for_no_longer_than_the_window(route: MemoryRoute) -> None:
    refire(route, -10 * SECOND)
    assert signal(route).refire_at == NOW + 50 * SECOND


MESSAGES = st.lists(
    st.tuples(st.sampled_from([FIRING, RESOLVED]), st.integers(0, 90)), min_size=1, max_size=12
)


@given(MESSAGES)
def test_the_alert_ends_as_the_last_message_said(messages: list[tuple[str, int]]) -> None:
    """All repeat one start and one end, so any of them may be a copy of another.

    The last one decides: firing is never lost, and resolved never pages later.
    """
    route, at = MemoryRoute(), NOW
    route.take(a_signal(starts_at=START), at=at)
    for status, seconds in messages:
        at += seconds * SECOND
        route.release(at)
        item = a_signal(starts_at=START, status=status)  # type: ignore[arg-type]
        if status is RESOLVED:
            item = a_signal(status=RESOLVED, ends_at=END)
        route.take(item, at=at)
    for minutes in (1, 2, 3):
        route.release(at + minutes * MINUTE)
    # One that was ignored while nobody held it would leave it resolved.
    fires = messages[-1][0] is FIRING
    assert (route.alerts()[-1].status is not AlertStatus.RESOLVED) is fires
    assert signal(route).refire is None


TIMES = st.none() | st.datetimes(timezones=st.just(UTC))


@given(
    TIMES,
    TIMES,
    st.sampled_from(Severity),
    st.dictionaries(st.text(), st.text(), max_size=3),
    st.none() | st.text(),
)
def test_an_item_survives_being_stored(
    starts_at: datetime | None,
    ends_at: datetime | None,
    severity: Severity,
    labels: dict[str, str],
    link: str | None,
) -> None:
    item = a_signal(
        starts_at=starts_at, ends_at=ends_at, severity=severity, labels=labels, link=link
    )
    assert IncomingSignal.from_json(item.to_json()) == item
