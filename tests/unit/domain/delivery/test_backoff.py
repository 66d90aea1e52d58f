from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.domain.delivery.backoff import (
    CAP,
    LONGEST_RETRY_AFTER,
    REFUSED_FOR,
    after_refusal,
    next_attempt,
)

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_waits_double_up_to_the_cap() -> None:
    waits = [next_attempt(n, NOW, jitter=1) for n in (1, 2, 3, 20)]
    assert [wait - NOW for wait in waits] == [2 * SECOND, 4 * SECOND, 8 * SECOND, CAP]


def test_the_vendor_may_ask_for_more_but_not_for_hours() -> None:
    minute = timedelta(minutes=1)
    assert next_attempt(1, NOW, jitter=0, retry_after=minute) == NOW + minute
    day = timedelta(days=1)
    assert next_attempt(1, NOW, jitter=0, retry_after=day) == NOW + LONGEST_RETRY_AFTER


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_every_wait_is_positive_and_bounded(attempt: int, jitter: float) -> None:
    due = next_attempt(attempt, NOW, jitter=jitter)
    assert SECOND <= due - NOW <= CAP


def test_a_refusal_is_tried_again_for_some_minutes_and_a_last_time_at_the_end() -> None:
    end = NOW + REFUSED_FOR
    assert after_refusal(NOW + SECOND, NOW, NOW) == NOW + SECOND
    assert after_refusal(NOW + CAP, NOW, NOW) == end
    assert after_refusal(end + CAP, NOW, end) is None
    assert after_refusal(None, NOW, NOW) is None
