"""Times that no rule could have set, so a clock must have been set back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.domain.delivery import circuit_breaker
from incidentrelay.domain.delivery.backoff import next_attempt
from incidentrelay.domain.delivery.circuit_breaker import CLOSED
from incidentrelay.domain.delivery.clock_steps import TOLERANCE, LatestTimes, latest_times
from incidentrelay.domain.delivery.rate_limit import MOST_PER_MINUTE, RateLimit

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
LEASE = MINUTE
LATEST = latest_times(NOW, LEASE)

SKEWS = st.timedeltas(-TOLERANCE, TOLERANCE)


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("created_at", timedelta(0)),
        ("since", timedelta(0)),
        ("busy_until", MINUTE),
        ("rate_limited", MINUTE),
        ("open_until", 15 * MINUTE),
        ("retry", 15 * MINUTE),
        ("lease", LEASE),
    ],
)
def test_a_time_lies_at_most_as_far_ahead_as_its_rule_and_clocks_allow(
    name: str, most: timedelta
) -> None:
    assert getattr(LATEST, name) == NOW + most + TOLERANCE


def test_every_time_has_a_row_above() -> None:
    assert len(LatestTimes.__dataclass_fields__) == 7


@given(st.integers(1, MOST_PER_MINUTE), st.lists(st.integers(0, 20_000), max_size=30), SKEWS)
def test_no_rate_limit_is_cut_short(most: int, waits: list[int], skew: timedelta) -> None:
    rate, busy_until, at = RateLimit.per_minute(most), None, NOW + skew
    for wait in waits:
        at = max(at + timedelta(milliseconds=wait), rate.next_allowed_at(busy_until, at))
        busy_until = rate.consume(busy_until, at)
        latest = latest_times(at - skew, LEASE)
        assert busy_until <= latest.busy_until
        assert rate.next_allowed_at(busy_until, at) <= latest.rate_limited


RETRY_AFTER = st.none() | st.timedeltas(timedelta(0), timedelta(days=1))


@given(st.lists(RETRY_AFTER, min_size=1, max_size=20), SKEWS)
def test_no_circuit_is_closed_early(waits: list[timedelta | None], skew: timedelta) -> None:
    circuit, at = CLOSED, NOW + skew
    for retry_after in waits:
        circuit = circuit_breaker.after_failure(circuit, "Down.", at, retry_after=retry_after)
        probing = circuit_breaker.half_open(circuit, at + LEASE)
        for each in (circuit, probing):
            assert each.open_until is None or each.open_until <= LATEST.open_until
        assert circuit.since is not None
        assert circuit.since <= LATEST.since


@given(st.integers(0, 1000), st.floats(0, 1, exclude_max=True), RETRY_AFTER, SKEWS)
def test_no_retry_comes_early(
    attempt: int, jitter: float, retry_after: timedelta | None, skew: timedelta
) -> None:
    again = next_attempt(attempt, NOW + skew, jitter=jitter, retry_after=retry_after)
    assert again <= LATEST.retry
