"""What an alert shows is a function of the signals that fire, and of nothing else."""

from dataclasses import dataclass, field
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.domain.enums import EventKind, Severity
from incidentrelay.domain.intake.summary import MAX_TITLE, summarize_signals
from tests.unit.domain.intake.routes import (
    MINUTE,
    NOW,
    RESOLVED,
    MemoryRoute,
    a_signal,
    only_alert,
)

LOW, CRITICAL = Severity.LOW, Severity.CRITICAL


@dataclass(frozen=True)
class Shown:
    """A signal as the summary reads it."""

    dedup_key: str = "a"
    severity: Severity = LOW
    title: str = "Down"
    description: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    link: str | None = None
    first_seen_at: datetime = NOW


def host(name: str, severity: Severity = LOW, minute: int = 0, **values: object) -> Shown:
    given = {
        "title": f"{name} is down",
        "description": f"{name} does not answer",
        "labels": {"host": name, "team": "x"},
        "annotations": {"summary": f"{name} is down"},
        "link": f"http://{name}.test/",
        **values,
    }
    return Shown(name, severity, first_seen_at=NOW + minute * MINUTE, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("signals", "title"),
    [
        ([host("db1")], "db1 is down"),
        ([host("db1"), host("db2", minute=1)], "db1 is down and 1 more"),
        # The most severe leads, and of these the oldest.
        (
            [host("db1"), host("db2", CRITICAL, 1), host("db3", CRITICAL, 2)],
            "db2 is down and 2 more",
        ),
        # Seen at the same instant: the order must not matter.
        ([host("db2"), host("db1")], "db1 is down and 1 more"),
        # What they have in common is shown as it is.
        ([host("db1", title="Down"), host("db2", title="Down")], "Down"),
    ],
)
def test_the_title_names_the_only_signal_or_the_lead(signals: list[Shown], title: str) -> None:
    assert summarize_signals(signals).title == title


def test_the_rest_is_the_leads_too_and_labels_are_the_common_ones() -> None:
    shown = summarize_signals([host("db1"), host("db2", CRITICAL)])
    assert shown.severity is CRITICAL
    assert shown.description == "db2 does not answer"
    assert shown.link == "http://db2.test/"
    assert shown.labels == {"team": "x"}
    assert shown.annotations == {"summary": "db2 is down"}


def test_common_annotations_come_before_the_leads() -> None:
    runbook = {"runbook_url": "http://wiki.test/db"}
    shown = summarize_signals(
        [host(name, annotations={"summary": name, **runbook}) for name in ("db1", "db2")]
    )
    assert shown.annotations == runbook


def test_a_long_title_keeps_its_count() -> None:
    shown = summarize_signals([host("a", title="x" * MAX_TITLE), host("b")])
    assert len(shown.title) == MAX_TITLE
    assert shown.title.endswith("… and 1 more")


SIGNALS = st.lists(
    st.builds(
        host,
        st.sampled_from(["db1", "db2", "db3", "db4"]),
        st.sampled_from(Severity),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda signal: signal.dedup_key,
)


@given(SIGNALS.flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))))
def test_the_order_of_the_signals_does_not_matter(both: tuple[list[Shown], list[Shown]]) -> None:
    assert summarize_signals(both[0]) == summarize_signals(both[1])


def db(number: int, severity: Severity = Severity.WARNING, **values: object) -> dict[str, object]:
    name = f"db{number}"
    return {
        "key": name,
        "severity": severity,
        "title": f"{name} is down",
        "description": f"{name} does not answer",
        "labels": {"alertname": "Down", "host": name},
        "link": f"http://{name}.test/",
        **values,
    }


def test_a_signal_that_ends_takes_its_title_with_it() -> None:
    route = MemoryRoute(group="all")
    alert = only_alert(route.take(a_signal(**db(1)), a_signal(**db(2))))  # type: ignore[arg-type]
    assert (alert.title, alert.labels) == ("db1 is down and 1 more", {"alertname": "Down"})
    route.take(a_signal(**db(1, status=RESOLVED)), at=NOW + MINUTE)  # type: ignore[arg-type]
    assert (alert.title, alert.description) == ("db2 is down", "db2 does not answer")
    assert alert.labels == {"alertname": "Down", "host": "db2"}
    assert alert.source_link == "http://db2.test/"


def test_when_all_are_over_the_last_ones_are_shown() -> None:
    route = MemoryRoute(group="all")
    three = [a_signal(**db(number)) for number in (1, 2, 3)]  # type: ignore[arg-type]
    alert = only_alert(route.take(*three))
    over = [a_signal(**db(number, status=RESOLVED)) for number in (1, 2, 3)]  # type: ignore[arg-type]
    route.take(over[0], at=NOW + MINUTE)
    route.take(over[1], over[2], at=NOW + 2 * MINUTE)
    assert alert.title == "db2 is down and 1 more"


def test_a_severity_that_fell_can_rise_again() -> None:
    route = MemoryRoute(group="all")
    alert = only_alert(route.take(a_signal("a"), a_signal("b", severity=CRITICAL)))
    alert.severity_thresholds = frozenset({CRITICAL})
    batch = route.take(a_signal("b", RESOLVED), at=NOW + MINUTE)
    assert (alert.severity, alert.page) == ("warning", False)
    assert EventKind.SEVERITY_LOWERED in [event.kind for event in batch.events]
    route.take(a_signal("c", severity=CRITICAL), at=NOW + 2 * MINUTE)
    assert (alert.severity, alert.page) == ("critical", True)


def test_a_single_signal_can_fall_from_critical_to_low() -> None:
    route = MemoryRoute()
    alert = only_alert(route.take(a_signal(severity=CRITICAL)))
    route.take(a_signal(severity=LOW), at=NOW + MINUTE)
    assert alert.severity is LOW
