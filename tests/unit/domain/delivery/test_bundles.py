"""One message about many alerts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.domain.delivery.bundles import (
    MAX_DEFERRAL,
    WaitingNotification,
    choose_message,
    summarize_bundle,
)
from incidentrelay.domain.enums import AlertStatus, NotificationKind, Severity
from incidentrelay.domain.messages import Message

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


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


def waiting(
    number: int,
    kind: NotificationKind = NotificationKind.PAGE,
    *,
    age: int = 0,
    key: str | None = None,
    shareable: bool = True,
) -> WaitingNotification:
    created_at = NOW - timedelta(seconds=age)
    return WaitingNotification(number, kind, kind.priority, created_at, key, shareable)


PAGES = [waiting(number) for number in (2, 3, 4)]
UPDATE = waiting(1, NotificationKind.UPDATE)
OLD_UPDATE = waiting(1, NotificationKind.UPDATE, age=120)
KEYED = [waiting(5, key="lost"), waiting(6, key="lost")]
ALONE = waiting(7, shareable=False)


@pytest.mark.parametrize(
    ("queue", "asked", "credit", "expected"),
    [
        (PAGES, 3, 5, [3]),  # credit for each: nobody has to share
        (PAGES, 3, 2, [2, 3, 4]),
        (PAGES, 4, 1, [2, 3, 4]),
        ([*PAGES, UPDATE], 1, 5, [1]),
        ([*PAGES, UPDATE], 1, 1, [2, 3, 4]),  # the more urgent goes first
        ([*PAGES, OLD_UPDATE], 2, 1, [1]),  # but not for ever
        ([*PAGES, *KEYED], 2, 2, [2, 3, 4]),
        ([*PAGES, *KEYED], 6, 5, [5, 6]),  # under its key, with the same others
        ([*PAGES, *KEYED], 6, 1, [2, 3, 4]),
        ([*KEYED, waiting(8)], 8, 1, [5, 6]),  # the oldest goes first
        ([ALONE, waiting(8), waiting(9)], 7, 5, [7]),
        ([ALONE, waiting(8), waiting(9)], 8, 1, [7]),
        ([ALONE, waiting(8), waiting(9)], 9, 2, [9]),
    ],
)
def test_who_goes_with_the_next_message(
    queue: list[WaitingNotification], asked: int, credit: int, expected: list[int]
) -> None:
    [mine] = [each for each in queue if each.id == asked]
    chosen = choose_message(queue, mine, credit, NOW)
    assert [each.id for each in chosen] == expected


KINDS = (NotificationKind.PAGE, NotificationKind.REMINDER, NotificationKind.UPDATE)
INTERVAL = timedelta(seconds=6)


@given(st.data())
def test_nobody_waits_longer_than_the_share_of_the_rate(data: st.DataObject) -> None:
    """One message every interval, while pages keep coming and attempts fail.

    What has waited for MAX_DEFERRAL has at most one message before it for each group
    that was there by then; each of its own failures costs another round.
    """
    queue: dict[int, WaitingNotification] = {}
    number, at, rounds = 0, NOW, data.draw(st.integers(5, 60))
    for _ in range(rounds):
        for kind in [NotificationKind.PAGE, *data.draw(st.lists(st.sampled_from(KINDS)))]:
            number += 1
            queue[number] = replace(waiting(number, kind), created_at=at)
        at += INTERVAL
        asked = queue[data.draw(st.sampled_from(sorted(queue)))]
        chosen = choose_message(list(queue.values()), asked, 1, at)
        overdue = [each for each in queue.values() if each.created_at <= at - MAX_DEFERRAL]
        if overdue:
            assert min(overdue, key=lambda each: each.id) in chosen
        lost = data.draw(st.booleans())
        for each in chosen:
            if each.key is None and lost:
                queue[each.id] = replace(each, key=f"key{chosen[0].id}")
            else:
                del queue[each.id]
        groups = len({each.group for each in queue.values()})
        oldest = min((each.created_at for each in queue.values()), default=at)
        assert at - oldest <= MAX_DEFERRAL + groups * INTERVAL
