"""An acknowledgement covers what was there."""

from datetime import timedelta

import pytest

from incidentrelay.domain.enums import AlertStatus, Severity
from tests.unit.domain.intake.routes import (
    MINUTE,
    NOW,
    RESOLVED,
    SECOND,
    MemoryRoute,
    a_signal,
    only_alert,
)

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("severity", "after", "pages"),
    [
        (Severity.LOW, MINUTE, False),
        (Severity.WARNING, MINUTE, False),
        (Severity.CRITICAL, MINUTE, True),
        # The acknowledgement covers for an hour.
        (Severity.WARNING, HOUR, False),
        (Severity.LOW, HOUR + SECOND, True),
    ],
)
def test_what_joins_pages_if_it_is_worse_or_the_acknowledgement_is_old(
    severity: Severity, after: timedelta, pages: bool
) -> None:
    route = MemoryRoute(group="all")
    alert = only_alert(route.take(a_signal("a")))
    route.acknowledge(alert)
    route.take(a_signal("b", severity=severity), at=NOW + after)
    assert alert.page is pages
    assert alert.status is (AlertStatus.FIRING if pages else AlertStatus.ACKNOWLEDGED)
    assert list(alert.joined) == ([] if pages else ["b"])


def test_worse_is_meant_of_what_fires_and_not_of_what_fired() -> None:
    route = MemoryRoute(group="all")
    alert = only_alert(route.take(a_signal("a"), a_signal("b", severity=Severity.CRITICAL)))
    route.acknowledge(alert)
    route.take(a_signal("b", RESOLVED), at=NOW + MINUTE)
    assert alert.status is AlertStatus.ACKNOWLEDGED
    route.take(a_signal("c", severity=Severity.HIGH), at=NOW + 2 * MINUTE)
    assert (alert.page, alert.status) == (True, AlertStatus.FIRING)


def test_a_known_signal_that_gets_worse_was_not_covered() -> None:
    route = MemoryRoute(group="all")
    alert = only_alert(route.take(a_signal("a")))
    route.acknowledge(alert)
    route.take(a_signal("a", title="a is gone"), at=NOW + MINUTE)
    assert (alert.page, alert.status) == (False, AlertStatus.ACKNOWLEDGED)
    route.take(a_signal("a", severity=Severity.HIGH), at=NOW + 2 * MINUTE)
    assert (alert.page, alert.status) == (True, AlertStatus.FIRING)


def test_what_joined_and_is_over_again_needs_no_message() -> None:
    route = MemoryRoute(group="all")
    alert = only_alert(route.take(a_signal("a")))
    route.acknowledge(alert)
    route.take(a_signal("b"), a_signal("c"), a_signal("b", RESOLVED), at=NOW + MINUTE)
    assert list(alert.joined) == ["c"]
