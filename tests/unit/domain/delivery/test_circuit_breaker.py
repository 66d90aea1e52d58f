"""When a failing provider gets no messages."""

from datetime import UTC, datetime, timedelta

from incidentrelay.domain.delivery import circuit_breaker
from incidentrelay.domain.delivery.circuit_breaker import (
    CLOSED,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    STALL_AFTER,
    THRESHOLD,
    Circuit,
)

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def fail(state: Circuit, times: int, at: datetime = NOW) -> Circuit:
    for _ in range(times):
        state = circuit_breaker.after_failure(state, "It is down.", at)
    return state


def test_some_failures_are_no_reason_to_stop() -> None:
    state = fail(CLOSED, THRESHOLD - 1)
    assert state.allows(NOW)
    assert not state.is_open
    assert not state.is_stalled(NOW + 10 * STALL_AFTER)


def test_failures_in_a_row_open_it() -> None:
    state = fail(CLOSED, THRESHOLD)
    assert state.is_open
    assert not state.allows(NOW + FIRST_PAUSE - SECOND)
    assert state.allows(NOW + FIRST_PAUSE)


def test_pauses_double_and_are_bounded() -> None:
    state, pauses = fail(CLOSED, THRESHOLD - 1), []
    for _ in range(8):
        state = fail(state, 1)
        assert state.open_until is not None
        pauses.append((state.open_until - NOW) / FIRST_PAUSE)
    assert pauses[:4] == [1, 2, 4, 8]
    assert pauses[-1] == LONGEST_PAUSE / FIRST_PAUSE


def test_only_one_probe_goes_through_at_a_time() -> None:
    at = NOW + LONGEST_PAUSE
    probing = circuit_breaker.half_open(fail(CLOSED, THRESHOLD), at + 60 * SECOND)
    assert not probing.allows(at + 59 * SECOND)
    # Waiting for a probe whose worker died has an end.
    assert probing.allows(at + 60 * SECOND)


def test_a_failed_probe_shuts_it_from_its_own_end_on() -> None:
    at = NOW + LONGEST_PAUSE
    probing = circuit_breaker.half_open(fail(CLOSED, THRESHOLD), at + 60 * SECOND)
    assert fail(probing, 1, at).open_until == at + 2 * FIRST_PAUSE


def test_a_working_provider_is_not_probed() -> None:
    state = fail(CLOSED, 1)
    assert circuit_breaker.half_open(state, NOW + 60 * SECOND) == state


def test_a_provider_that_names_a_time_gets_it() -> None:
    state = circuit_breaker.after_failure(CLOSED, "429", NOW, retry_after=90 * SECOND)
    assert not state.allows(NOW + 89 * SECOND)
    assert state.is_stalled(NOW)
    # Another one's failure in the meantime does not shorten it.
    assert fail(state, 1).open_until == NOW + 90 * SECOND
    short = circuit_breaker.after_failure(CLOSED, "429", NOW, retry_after=5 * SECOND)
    assert not short.is_stalled(NOW)


def test_nobody_is_parked_for_hours() -> None:
    state = circuit_breaker.after_failure(CLOSED, "429", NOW, retry_after=timedelta(days=1))
    assert state.allows(NOW + timedelta(minutes=15))


def test_what_has_not_worked_for_a_while_is_hopeless_until_it_works() -> None:
    state = fail(CLOSED, THRESHOLD)
    assert not state.is_stalled(NOW + STALL_AFTER - SECOND)
    assert state.is_stalled(NOW + STALL_AFTER)
