"""Windows cover a list from its start to its end, once, whatever is in it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.domain.alerts.search_windows import CAP, SearchWindows

START = datetime(2026, 3, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def walk(windows: SearchWindows, values: list[Any]) -> list[tuple[Any, Any]]:
    """The windows in which a reader of ``values`` looks."""
    seen = []
    for _ in range(10_000):
        if windows.over:
            return seen
        low, high = windows.bounds
        count = sum(low <= value < high for value in values)
        if count > CAP and not windows.fits:
            windows.narrow()
            continue
        seen.append((low, high))
        windows.advance(count)
    raise AssertionError("the windows do not end")


@given(values=st.lists(st.integers(1, 10**9), min_size=1), falling=st.booleans())
def test_windows_of_ids_are_adjacent_and_complete(values: list[int], falling: bool) -> None:
    least, end = min(values), max(values) + 1
    first, last = (end, least) if falling else (least, end)
    seen = walk(SearchWindows(first, last, falling=falling, tick=1, width=256), values)
    assert_complete(seen, least, end, falling)


@given(
    hours=st.lists(st.integers(0, 24 * 365 * 100), min_size=1, max_size=20),
    falling=st.booleans(),
)
def test_windows_of_times_are_adjacent_and_complete(hours: list[int], falling: bool) -> None:
    values = [START + timedelta(hours=hour) for hour in hours]
    least, end = min(values), max(values) + TICK
    first, last = (end, least) if falling else (least, end)
    width = timedelta(hours=1)
    seen = walk(SearchWindows(first, last, falling=falling, tick=TICK, width=width), values)
    assert_complete(seen, least, end, falling)


def assert_complete(seen: list[Any], least: Any, end: Any, falling: bool) -> None:
    ordered = seen[::-1] if falling else seen
    assert ordered[0][0] == least
    assert ordered[-1][1] == end
    assert all(low < high for low, high in seen)
    assert all(one[1] == two[0] for one, two in pairwise(ordered))


@pytest.mark.parametrize("falling", [True, False])
def test_a_sparse_list_takes_few_windows(falling: bool) -> None:
    first, last = (10**7, 1) if falling else (1, 10**7)
    windows = SearchWindows(first, last, falling=falling, tick=1, width=256)
    assert len(walk(windows, [1])) <= 7


def test_a_crowded_window_becomes_narrower_until_it_fits() -> None:
    windows = SearchWindows(10**6, 0, falling=True, tick=1, width=10**6)
    assert not windows.fits
    for _ in range(10):
        windows.narrow()
    assert windows.fits
    low, high = windows.bounds
    assert high - low == 1


def test_all_at_the_same_instant_is_one_window() -> None:
    windows = SearchWindows(START + TICK, START, falling=True, tick=TICK, width=timedelta(hours=1))
    assert windows.bounds == (START, START + TICK)
    assert windows.fits
    windows.advance(50_000)
    assert windows.over
    assert windows.examined == 50_000
