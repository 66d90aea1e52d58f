"""Times of two clocks are never compared, and nothing is late forever."""

from datetime import datetime, timedelta

import pytest

from incidentrelay.domain.enums import AlertStatus, Outcome, Severity
from tests.unit.domain.intake.routes import (
    MINUTE,
    NOW,
    RESOLVED,
    SECOND,
    MemoryRoute,
    a_signal,
    only_alert,
    outcomes,
)

HOUR = timedelta(hours=1)
# The source's clock may be far off ours: only its order counts.
START, END = NOW - 3 * HOUR, NOW - 3 * HOUR + 2 * MINUTE


@pytest.mark.parametrize(
    ("after", "starts_at", "outcome"),
    [
        # A late copy: it started before the end that the source gave.
        (0 * SECOND, START, Outcome.IGNORED),
        (59 * SECOND, START, Outcome.IGNORED),
        (59 * SECOND, END, Outcome.IGNORED),
        # Prometheus paused; Alertmanager sends the old start again: the problem goes on.
        (60 * SECOND, START, Outcome.REOPENED),
        (4 * MINUTE, START, Outcome.REOPENED),
        (6 * MINUTE, START, Outcome.CREATED),
        # A new start is no copy, and neither is an item that cannot be compared.
        (1 * SECOND, END + SECOND, Outcome.REOPENED),
        (1 * SECOND, None, Outcome.REOPENED),
    ],
)
def test_a_firing_item_is_late_only_just_after_the_resolve_was_received(
    after: timedelta, starts_at: datetime | None, outcome: Outcome
) -> None:
    route = MemoryRoute()
    route.take(a_signal(starts_at=START))
    resolved = route.take(a_signal(status=RESOLVED, ends_at=END), at=NOW + MINUTE)
    assert outcomes(resolved) == [Outcome.RESOLVED]
    batch = route.take(a_signal(starts_at=starts_at), at=NOW + MINUTE + after)
    assert outcomes(batch) == [outcome]
    if outcome is not Outcome.IGNORED:
        assert only_alert(batch).page


def test_repeats_of_an_ended_start_are_not_ignored_for_ever() -> None:
    route = MemoryRoute()
    route.take(a_signal(starts_at=START))
    route.take(a_signal(status=RESOLVED, ends_at=END), at=NOW)
    found = [
        outcomes(route.take(a_signal(starts_at=START), at=NOW + number * 15 * SECOND))[0]
        for number in range(1, 6)
    ]
    assert found == [Outcome.IGNORED] * 3 + [Outcome.REOPENED, Outcome.DUPLICATE]


def test_resolves_that_are_repeated_do_not_extend_the_time() -> None:
    """Two senders disagree: the one that says "firing" is heard after a minute."""
    route = MemoryRoute()
    route.take(a_signal(starts_at=START))
    for number in range(4):
        at = NOW + number * 20 * SECOND
        route.take(a_signal(status=RESOLVED, ends_at=END + number * SECOND), at=at)
    batch = route.take(a_signal(starts_at=START), at=NOW + 61 * SECOND)
    assert outcomes(batch) == [Outcome.REOPENED]


def test_a_clock_of_ours_that_is_set_back_holds_nothing_back() -> None:
    route = MemoryRoute()
    route.take(a_signal(starts_at=START))
    route.take(a_signal(status=RESOLVED, ends_at=END), at=NOW)
    batch = route.take(a_signal(starts_at=START), at=NOW - 2 * HOUR)
    assert outcomes(batch) == [Outcome.REOPENED]


def test_an_end_of_ours_makes_nothing_late() -> None:
    """The resolve named no end, so its time of receipt is by our clock."""
    route = MemoryRoute()
    route.take(a_signal(starts_at=START))
    route.take(a_signal(status=RESOLVED), at=NOW + MINUTE)
    batch = route.take(a_signal(starts_at=START), at=NOW + MINUTE + SECOND)
    assert outcomes(batch) == [Outcome.REOPENED]


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "outcome"),
    [
        # The source gave no start: its end cannot be older than it.
        (None, NOW - 2 * MINUTE, Outcome.RESOLVED),
        (None, NOW - 24 * HOUR, Outcome.RESOLVED),
        (START, None, Outcome.RESOLVED),
        (START, START, Outcome.RESOLVED),
        (START, END, Outcome.RESOLVED),
        # The end of an earlier time that the signal fired.
        (START, START - SECOND, Outcome.IGNORED),
    ],
)
def test_a_resolve_without_a_comparable_start_always_resolves(
    starts_at: datetime | None, ends_at: datetime | None, outcome: Outcome
) -> None:
    route = MemoryRoute()
    route.take(a_signal(starts_at=starts_at))
    batch = route.take(a_signal(status=RESOLVED, ends_at=ends_at), at=NOW + MINUTE)
    assert outcomes(batch) == [outcome]


def test_a_refire_without_a_start_can_be_resolved_again() -> None:
    route = MemoryRoute()
    route.take(a_signal(starts_at=START))
    route.take(a_signal(status=RESOLVED, ends_at=END), at=NOW)
    route.take(a_signal(), at=NOW + MINUTE)
    batch = route.take(a_signal(status=RESOLVED, ends_at=END), at=NOW + 2 * MINUTE)
    assert outcomes(batch) == [Outcome.RESOLVED]


@pytest.mark.parametrize("starts_at", [START - 3 * SECOND, START, START + HOUR, None])
def test_a_repeat_brings_its_content_whatever_its_start(starts_at: datetime | None) -> None:
    """Alertmanager merges to the earliest start."""
    route = MemoryRoute()
    alert = only_alert(route.take(a_signal(starts_at=START)))
    alert.severity_thresholds = frozenset({Severity.CRITICAL})
    batch = route.take(
        a_signal(starts_at=starts_at, title="disk is gone", severity=Severity.CRITICAL),
        at=NOW + MINUTE,
    )
    assert outcomes(batch) == [Outcome.UPDATED]
    assert (alert.title, alert.severity, alert.page) == ("disk is gone", "critical", True)


def test_an_old_copy_does_not_make_an_old_resolve_count() -> None:
    """The latest start counts, so that the first resolve stays older than it."""
    route = MemoryRoute()
    route.take(a_signal(starts_at=START))
    route.take(a_signal(status=RESOLVED, ends_at=END), at=NOW)
    route.take(a_signal(starts_at=END + MINUTE), at=NOW + 10 * SECOND)
    route.take(a_signal(starts_at=START), at=NOW + 11 * SECOND)
    batch = route.take(a_signal(status=RESOLVED, ends_at=END), at=NOW + 12 * SECOND)
    assert outcomes(batch) == [Outcome.IGNORED]


def test_a_resolve_of_the_source_after_a_person_resolved_keeps_late_copies_out() -> None:
    route = MemoryRoute()
    alert = only_alert(route.take(a_signal(starts_at=START)))
    route.resolve_by_hand(alert, NOW + MINUTE)
    route.take(a_signal(status=RESOLVED, ends_at=END), at=NOW + 3 * MINUTE)
    batch = route.take(a_signal(starts_at=START), at=NOW + 3 * MINUTE + SECOND)
    assert outcomes(batch) == [Outcome.IGNORED]
    assert alert.status is AlertStatus.RESOLVED
