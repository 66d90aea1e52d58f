"""Silences are matched against each signal of an alert, not against what they share."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidentrelay.domain.matchers import parse
from incidentrelay.domain.silences.coverage import (
    SilenceCoverage,
    TeamSilence,
    coverage_of_signals,
    covers_labels,
    find_quiet_start,
    list_partial_silences,
)
from incidentrelay.domain.silences.silences import SilenceWindow, recurring

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DEV, PROD, BARE = {"env": "dev"}, {"env": "prod"}, {"alertname": "Disk"}

Spec = tuple[str, int, int]
Labels = Mapping[str, str]


def silence(number: int, spec: Spec) -> TeamSilence:
    text, first, last = spec
    window = SilenceWindow(NOW + first * HOUR, NOW + last * HOUR)
    return TeamSilence(number, parse(text), window)


def numbered(*specs: Spec) -> list[TeamSilence]:
    return [silence(number, spec) for number, spec in enumerate(specs)]


@pytest.mark.parametrize(
    ("specs", "signals", "expected"),
    [
        # One signal.
        ([], [DEV], None),
        ([("env=dev", 0, 2)], [], None),
        ([("env=dev", 0, 2)], [DEV], ((0,), 2)),
        ([("env=dev", 1, 2)], [DEV], None),
        ([("env=dev", -1, 0)], [DEV], None),
        ([("env=prod", 0, 2)], [DEV], None),
        # A silence of all labels but one value: each signal decides for itself.
        ([("env!=prod", 0, 2)], [DEV], ((0,), 2)),
        ([("env!=prod", 0, 2)], [DEV, PROD], None),
        ([("env!=prod", 0, 2)], [PROD, DEV], None),
        ([("env!=prod", 0, 2)], [DEV, {"env": "test"}], ((0,), 2)),
        # A missing label equals the empty string.
        ([("env!=prod", 0, 2)], [DEV, BARE], ((0,), 2)),
        ([('env=""', 0, 2)], [BARE], ((0,), 2)),
        ([('env=""', 0, 2)], [BARE, DEV], None),
        ([('env=""', 0, 2)], [BARE, {"env": ""}], ((0,), 2)),
        # Different silences together cover all signals, until the first of them ends.
        ([("env=dev", 0, 2), ("env=prod", 0, 5)], [DEV, PROD], ((0, 1), 2)),
        ([("env=dev", 0, 2), ("env=prod", 1, 5)], [DEV, PROD], None),
        # Overlapping silences of one signal are one coverage.
        ([("env=dev", 0, 2), ("env=dev", -1, 5)], [DEV], ((1,), 5)),
        ([("env=dev", -1, 2), ("env=dev", 1, 4)], [DEV], ((0, 1), 4)),
        ([("env=dev", -1, 2), ("env=dev", 2, 4)], [DEV], ((0, 1), 4)),
        ([("env=dev", -1, 2), ("env=dev", 3, 4)], [DEV], ((0,), 2)),
        ([("env=dev", -1, 2), ("env=dev", 1, 4), ("env=dev", 3, 6)], [DEV], ((0, 1, 2), 6)),
        # Silences that begin after the coverage has ended are not named.
        (
            [("env=dev", 0, 2), ("env=dev", 2, 9), ("env=prod", 0, 2)],
            [DEV, PROD],
            ((0, 2), 2),
        ),
        (
            [("env=dev", 0, 2), ("env=dev", 2, 9), ("env=prod", 0, 3)],
            [DEV, PROD],
            ((0, 1, 2), 3),
        ),
    ],
)
def test_an_alert_is_quiet_while_each_signal_is_covered(
    specs: Sequence[Spec], signals: Sequence[Labels], expected: tuple[tuple[int, ...], int] | None
) -> None:
    found = coverage_of_signals(numbered(*specs), signals, NOW)
    assert found == (expected and SilenceCoverage(expected[0], NOW + expected[1] * HOUR))


@pytest.mark.parametrize(
    ("specs", "signals", "expected"),
    [
        ([], [DEV], None),
        ([("env=dev", 0, 2)], [], None),
        ([("env=dev", 0, 2)], [DEV], 0),
        ([("env=dev", 3, 4)], [DEV], 3),
        ([("env=dev", 3, 4)], [DEV, PROD], None),
        ([("env=dev", 3, 6), ("env=prod", 5, 9)], [DEV, PROD], 5),
        # The first windows miss each other.
        ([("env=dev", 0, 2), ("env=prod", 3, 6), ("env=dev", 4, 6)], [DEV, PROD], 4),
        ([("env=dev", 0, 2), ("env=prod", 3, 6)], [DEV, PROD], None),
        ([("env!=prod", 3, 4)], [DEV, BARE], 3),
    ],
)
def test_an_alert_falls_quiet_when_its_last_signal_is_covered(
    specs: Sequence[Spec], signals: Sequence[Labels], expected: int | None
) -> None:
    found = find_quiet_start(numbered(*specs), signals, NOW)
    assert found == (None if expected is None else NOW + expected * HOUR)


def test_covers_labels_asks_about_one_signal() -> None:
    silences = numbered(("env=dev", 0, 2), ("env=prod", 1, 2))
    assert covers_labels(silences, DEV, NOW)
    assert not covers_labels(silences, PROD, NOW)
    assert covers_labels(silences, PROD, NOW + HOUR)


@pytest.mark.parametrize(
    ("specs", "signals", "expected"),
    [
        ([("env=dev", 0, 2)], [DEV], []),
        ([("env=dev", 0, 2)], [PROD], []),
        ([("env=dev", 0, 2)], [DEV, PROD], [0]),
        ([("env=dev", 0, 2), ("env=prod", 0, 2)], [DEV, PROD], []),
        ([("env=dev", 0, 2), ("env=prod", 1, 2)], [DEV, PROD], [0]),
        ([("env=dev", 0, 2), ("env!=prod", 0, 2)], [DEV, PROD], [0, 1]),
    ],
)
def test_some_silences_cover_a_part(
    specs: Sequence[Spec], signals: Sequence[Labels], expected: list[int]
) -> None:
    assert list_partial_silences(numbered(*specs), signals, NOW) == expected


def test_a_silence_that_never_pauses_covers_for_long() -> None:
    whole_day = recurring("FREQ=DAILY", "UTC", NOW.date(), time(0), DAY)
    found = coverage_of_signals([TeamSilence(7, (), whole_day)], [DEV], NOW + 60 * DAY)
    assert found is not None
    assert found.end > NOW + 80 * DAY


specs = st.lists(
    st.tuples(
        st.sampled_from(["env=dev", "env!=prod", 'env=""', "env=~dev|prod", "{}"]),
        st.integers(-3, 6),
        st.integers(1, 4),
    ),
    max_size=6,
)


@settings(max_examples=300, deadline=None)
@given(specs, st.lists(st.sampled_from([DEV, PROD, BARE]), min_size=1, max_size=4))
def test_coverage_is_what_asking_about_each_signal_at_each_hour_gives(
    drawn: list[Spec], signals: list[Labels]
) -> None:
    silences = numbered(*[(text, first, first + length) for text, first, length in drawn])

    def quiet(hour: int) -> bool:
        at = NOW + hour * HOUR
        return all(covers_labels(silences, labels, at) for labels in signals)

    found = coverage_of_signals(silences, signals, NOW)
    assert (found is not None) == quiet(0)
    if found is not None:
        end = next(hour for hour in range(20) if not quiet(hour))
        assert found.end == NOW + end * HOUR
    begin = next((hour for hour in range(20) if quiet(hour)), None)
    expected = None if begin is None else NOW + begin * HOUR
    assert find_quiet_start(silences, signals, NOW) == expected
