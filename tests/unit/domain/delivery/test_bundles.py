"""One message that tells of many alerts."""

from typing import Any

from incidentrelay.domain.delivery.bundles import summarize_bundle
from incidentrelay.domain.enums import AlertStatus, NotificationKind, Severity
from incidentrelay.domain.messages import Message


def a_message(title: str = "Disk full", **values: Any) -> Message:
    defaults: dict[str, Any] = {
        "kind": NotificationKind.PAGE,
        "headline": "Page",
        "severity": Severity.WARNING,
        "status": AlertStatus.FIRING,
        "team": "Core",
    }
    return Message(title=title, **{**defaults, **values})


def test_the_worst_is_named_first() -> None:
    said = summarize_bundle([a_message("mild"), a_message("bad", severity=Severity.CRITICAL)])
    assert said.headline == "Page: 2 alerts"
    assert said.title == "2 alerts, the worst: bad"
    assert said.severity is Severity.CRITICAL
    assert said.description == "critical: bad\nwarning: mild"
    assert said.alert_id is None


def test_a_bundle_of_news_says_what_has_happened() -> None:
    news = {"kind": NotificationKind.UPDATE, "status": AlertStatus.RESOLVED}
    said = summarize_bundle(
        [a_message("a", headline="Resolved by ann", **news), a_message("b", **news)]
    )
    assert said.description.splitlines()[0] == "Resolved by ann: a"


def test_only_what_holds_for_all_is_said_of_all() -> None:
    said = summarize_bundle(
        [
            a_message(labels={"job": "node", "zone": "a"}, assignee="ann", started_at="2026-03-02"),
            a_message(labels={"job": "node", "zone": "b"}, assignee="ann", started_at="2026-03-01"),
        ]
    )
    assert said.labels == {"job": "node"}
    assert said.assignee == "ann"
    assert said.started_at == "2026-03-01"
    assert summarize_bundle([a_message(assignee="ann"), a_message(assignee="bob")]).assignee is None


def test_many_teams_do_not_make_a_long_line() -> None:
    said = summarize_bundle([a_message(team=name) for name in "abcde"])
    assert said.team == "a, b, c and others"
