"""The table of an alert's life, driven by sources."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.domain.enums import AlertStatus, EventKind, Outcome, Severity, SignalStatus
from incidentrelay.domain.intake.signals import IncomingSignal, Rejection
from tests.unit.domain.intake.routes import (
    FIRING,
    MINUTE,
    NOW,
    RESOLVED,
    MemoryRoute,
    a_signal,
    only_alert,
    outcomes,
)


def test_a_new_signal_makes_an_alert_that_pages() -> None:
    batch = MemoryRoute().take(a_signal())
    assert outcomes(batch) == [Outcome.CREATED]
    alert = only_alert(batch)
    assert (alert.status, alert.page, len(alert.firing)) == (AlertStatus.FIRING, True, 1)
    assert [event.kind for event in batch.events] == [EventKind.CREATED]


def test_a_repeat_counts_and_pages_nobody() -> None:
    route = MemoryRoute()
    route.take(a_signal())
    batch = route.take(a_signal(), at=NOW + MINUTE)
    assert outcomes(batch) == [Outcome.DUPLICATE]
    assert not only_alert(batch).page
    assert batch.signals["disk"].count == 2
    assert batch.signals["disk"].last_seen_at == NOW + MINUTE


def test_changed_content_is_an_update_and_is_shown() -> None:
    route = MemoryRoute()
    route.take(a_signal())
    batch = route.take(a_signal(title="disk is very full", severity=Severity.CRITICAL))
    assert outcomes(batch) == [Outcome.UPDATED]
    alert = only_alert(batch)
    assert (alert.title, alert.severity, alert.page) == ("disk is very full", "critical", False)


def test_resolving_the_last_signal_resolves_the_alert() -> None:
    route = MemoryRoute(group="all")
    route.take(a_signal("a"), a_signal("b"))
    first = route.take(a_signal("a", RESOLVED))
    assert outcomes(first) == [Outcome.RESOLVED]
    assert only_alert(first).status is AlertStatus.FIRING
    second = route.take(a_signal("b", RESOLVED))
    alert = only_alert(second)
    assert (alert.status, alert.closed, alert.generation) == (AlertStatus.RESOLVED, True, 2)


def test_an_orphan_resolve_is_ignored_and_the_rest_of_the_batch_is_not() -> None:
    batch = MemoryRoute().take(a_signal("ghost", RESOLVED), a_signal("disk"))
    assert outcomes(batch) == [Outcome.IGNORED, Outcome.CREATED]


def test_a_bad_item_harms_no_other() -> None:
    batch = MemoryRoute().take(Rejection("It is a number."), a_signal())
    assert outcomes(batch) == [Outcome.REJECTED, Outcome.CREATED]
    assert batch.results[0].reason == "It is a number."


@pytest.mark.parametrize(
    ("minutes", "outcome", "generation"), [(4, Outcome.REOPENED, 3), (6, Outcome.CREATED, 1)]
)
def test_firing_again_reopens_inside_the_window_only(
    minutes: int, outcome: Outcome, generation: int
) -> None:
    route = MemoryRoute()
    route.take(a_signal(starts_at=NOW))
    route.take(a_signal(status=RESOLVED, ends_at=NOW + MINUTE), at=NOW + MINUTE)
    later = NOW + MINUTE * (1 + minutes)
    batch = route.take(a_signal(starts_at=later), at=later)
    assert outcomes(batch) == [outcome]
    alert = only_alert(batch)
    assert (alert.page, alert.generation, alert.status) == (True, generation, AlertStatus.FIRING)


def test_a_late_firing_item_does_not_reopen() -> None:
    route = MemoryRoute()
    route.take(a_signal(starts_at=NOW))
    route.take(a_signal(status=RESOLVED, ends_at=NOW + MINUTE), at=NOW + MINUTE)
    batch = route.take(a_signal(starts_at=NOW), at=NOW + MINUTE + timedelta(seconds=59))
    assert outcomes(batch) == [Outcome.IGNORED]
    assert batch.alerts == {}


def test_a_late_resolve_does_not_close_a_newer_firing() -> None:
    route = MemoryRoute()
    route.take(a_signal(starts_at=NOW))
    batch = route.take(a_signal(status=RESOLVED, ends_at=NOW - MINUTE), at=NOW + MINUTE)
    assert outcomes(batch) == [Outcome.IGNORED]
    assert batch.signals["disk"].status is FIRING


def test_a_human_resolve_does_not_hide_a_problem_that_goes_on() -> None:
    """The source has recorded no end, so the next repeat brings the alert back."""
    route = MemoryRoute()
    first = route.take(a_signal(starts_at=NOW))
    route.resolve_by_hand(only_alert(first), NOW)
    batch = route.take(a_signal(starts_at=NOW), at=NOW + MINUTE)
    assert outcomes(batch) == [Outcome.REOPENED]


@pytest.mark.parametrize(
    ("severity", "pages"), [(Severity.CRITICAL, True), (Severity.WARNING, False)]
)
def test_a_join_pages_an_acknowledged_alert_only_if_severity_rises(
    severity: Severity, pages: bool
) -> None:
    route = MemoryRoute(group="all")
    alert = only_alert(route.take(a_signal("a")))
    alert.status = AlertStatus.ACKNOWLEDGED
    batch = route.take(a_signal("b", severity=severity))
    assert outcomes(batch) == [Outcome.UPDATED]
    assert only_alert(batch).page is pages
    expected = AlertStatus.FIRING if pages else AlertStatus.ACKNOWLEDGED
    assert alert.status is expected


def test_a_joined_alert_keeps_only_common_labels() -> None:
    route = MemoryRoute(group="all")
    batch = route.take(
        a_signal("a", labels={"host": "1", "team": "x"}),
        a_signal("b", labels={"host": "2", "team": "x"}),
    )
    assert only_alert(batch).labels == {"team": "x"}


def test_firing_and_resolved_in_one_request_page_nobody() -> None:
    batch = MemoryRoute().take(a_signal(), a_signal(status=RESOLVED))
    assert outcomes(batch) == [Outcome.CREATED, Outcome.RESOLVED]
    alert = only_alert(batch)
    assert (alert.page, alert.closed, alert.status) == (False, True, AlertStatus.RESOLVED)


def test_a_note_of_the_source_is_on_the_timeline() -> None:
    route = MemoryRoute()
    route.take(a_signal())
    batch = route.take(a_signal(note="Acknowledged in Zabbix by ann"))
    assert [event.text for event in batch.events] == ["Acknowledged in Zabbix by ann"]


ITEMS = st.builds(
    a_signal,
    key=st.sampled_from("abc"),
    status=st.sampled_from(SignalStatus),
    severity=st.sampled_from(Severity),
    starts_at=st.none() | st.integers(0, 20).map(lambda n: NOW + n * MINUTE),
    ends_at=st.none() | st.integers(0, 20).map(lambda n: NOW + n * MINUTE),
)


@given(st.lists(st.lists(ITEMS, max_size=5), max_size=8), st.booleans())
def test_whatever_comes_the_books_balance(
    requests: list[list[IncomingSignal]], grouped: bool
) -> None:
    """An alert is open exactly if it has a firing signal, and counts them rightly."""
    route = MemoryRoute(group="all" if grouped else None)
    for number, items in enumerate(requests):
        batch = route.take(*items, at=NOW + number * 2 * MINUTE)
        assert len(batch.results) == len(items)
        for state in {id(s.alert): s.alert for s in batch.signals.values()}.values():
            firing = [s for s in batch.signals.values() if s.alert is state and s.status is FIRING]
            assert set(map(id, state.firing)) == set(map(id, firing))
            assert (state.status is AlertStatus.RESOLVED) == (not firing)
            assert not (state.page and not firing)
