"""How fast one recipient gets messages."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.domain.delivery.rate_limit import (
    BURST,
    MOST_IN_ONE,
    MOST_PER_MINUTE,
    RateLimit,
    bundle_size,
)

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def send_all(pace: RateLimit, waits: list[int]) -> list[datetime]:
    """When messages go that are wanted ``waits`` ms after each other."""
    busy_until, at, sent = None, NOW, []
    for wait in waits:
        at = max(at + timedelta(milliseconds=wait), pace.next_allowed_at(busy_until, at))
        assert pace.credits(busy_until, at) >= 1
        busy_until = pace.consume(busy_until, at)
        sent.append(at)
    return sent


def test_a_quiet_recipient_is_told_at_once() -> None:
    sent = send_all(RateLimit.per_minute(10), [0] * BURST)
    assert sent == [NOW] * BURST


def test_then_messages_come_at_an_even_pace() -> None:
    sent = send_all(RateLimit.per_minute(10), [0] * (BURST + 3))
    gaps = [after - NOW for after in sent[BURST:]]
    assert gaps == [timedelta(seconds=6 * number) for number in (1, 2, 3)]


def test_credit_comes_back_with_time() -> None:
    pace, busy_until = RateLimit.per_minute(10), None
    for left in (4, 3, 2, 1, 0):
        busy_until = pace.consume(busy_until, NOW)
        assert pace.credits(busy_until, NOW) == left
    assert pace.credits(busy_until, NOW + timedelta(seconds=6)) == 1
    assert pace.credits(busy_until, NOW + MINUTE) == BURST


@given(st.integers(1, MOST_PER_MINUTE), st.lists(st.integers(0, 20_000), max_size=60))
def test_no_minute_has_more_than_its_messages_and_one_burst(most: int, waits: list[int]) -> None:
    sent = send_all(RateLimit.per_minute(most), waits)
    for start in sent:
        within = [at for at in sent if start <= at < start + MINUTE]
        assert len(within) <= most + min(BURST, most)


@pytest.mark.parametrize(
    ("waiting", "credit", "expected"),
    [
        (1, 5, 1),
        (5, 5, 1),
        (6, 5, 6),
        (2, 1, 2),
        (1, 1, 1),
        (MOST_IN_ONE, 1, MOST_IN_ONE),
        (10 * MOST_IN_ONE, 5, MOST_IN_ONE),
    ],
)
def test_what_can_go_alone_goes_alone(waiting: int, credit: int, expected: int) -> None:
    assert bundle_size(waiting, credit) == expected
