"""The actions of an alert in each state, and the next morning."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.domain.alerts.transitions import Action
from incidentrelay.domain.enums import AlertStatus
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.local_time import zone_names
from incidentrelay.web.console.components.available_actions import (
    SNOOZES,
    next_morning,
    snooze_until,
    useful,
)

ZONES = sorted(available_timezones() & zone_names())


@pytest.mark.parametrize(
    ("status", "actions"),
    [
        (
            AlertStatus.FIRING,
            {"acknowledge", "resolve", "snooze", "assign", "reassign-to-next", "escalate"},
        ),
        (
            AlertStatus.ACKNOWLEDGED,
            {"unacknowledge", "resolve", "snooze", "assign", "reassign-to-next", "escalate"},
        ),
        (AlertStatus.RESOLVED, {"reopen"}),
    ],
)
def test_useful_is_what_changes_something(status: AlertStatus, actions: set[str]) -> None:
    assert {action for action in Action if useful(status, action)} == actions


@pytest.mark.parametrize(
    ("zone", "now", "morning"),
    [
        ("UTC", (2026, 3, 10, 8, 59), (2026, 3, 10, 9, 0)),
        ("UTC", (2026, 3, 10, 9, 0), (2026, 3, 11, 9, 0)),
        ("Europe/Paris", (2026, 3, 10, 3, 0), (2026, 3, 10, 8, 0)),
        ("Europe/Paris", (2026, 3, 28, 23, 30), (2026, 3, 29, 7, 0)),
        ("Pacific/Auckland", (2026, 3, 10, 12, 0), (2026, 3, 10, 20, 0)),
        # That day was skipped: the first instant after the gap.
        ("Pacific/Apia", (2011, 12, 30, 9, 0), (2011, 12, 30, 10, 0)),
    ],
)
def test_the_morning_is_the_persons_own(
    zone: str, now: tuple[int, ...], morning: tuple[int, ...]
) -> None:
    at = datetime(*now, tzinfo=UTC)  # type: ignore[arg-type]
    assert next_morning(zone, at) == datetime(*morning, tzinfo=UTC)  # type: ignore[arg-type]


@given(
    st.sampled_from(ZONES),
    st.integers(0, 17 * 365 * 24 * 60),
)
def test_the_morning_is_less_than_two_days_away(zone: str, minutes: int) -> None:
    now = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    morning = next_morning(zone, now)
    assert now < morning <= now + timedelta(hours=49)
    assert morning.astimezone(ZoneInfo(zone)).hour >= 9


@pytest.mark.parametrize("choice", [value for value, _ in SNOOZES])
def test_every_choice_ends_in_time(choice: str) -> None:
    now = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
    assert now < snooze_until(choice, "Asia/Tokyo", now) < now + timedelta(days=2)


@pytest.mark.parametrize("choice", ["", "31", "-30", "1e9", "٣٠"])
def test_other_choices_are_refused(choice: str) -> None:
    with pytest.raises(InvalidInput):
        snooze_until(choice, "UTC", datetime(2026, 3, 10, tzinfo=UTC))
