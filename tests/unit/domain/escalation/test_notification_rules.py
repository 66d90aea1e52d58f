"""Rules choose a person's contacts, and never none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.domain.enums import Severity, Urgency
from incidentrelay.domain.escalation.notification_rules import (
    LONGEST_DELAY,
    MOST_RULES,
    ContactRule,
    effective_rules,
    rule_mistakes,
    urgency_of,
)

HIGH, LOW = Urgency.HIGH, Urgency.LOW
rules = st.lists(
    st.builds(ContactRule, st.integers(0, LONGEST_DELAY), st.integers(1, 5)), max_size=MOST_RULES
)
contacts = st.lists(st.integers(1, 7), unique=True, max_size=6)


@pytest.mark.parametrize(
    ("severity", "urgency"),
    [
        (Severity.CRITICAL, HIGH),
        (Severity.HIGH, HIGH),
        (Severity.MEDIUM, LOW),
        (Severity.WARNING, LOW),
        (Severity.LOW, LOW),
        (Severity.INFO, LOW),
    ],
)
def test_critical_and_high_are_urgent(severity: Severity, urgency: Urgency) -> None:
    assert urgency_of(severity) is urgency


@pytest.mark.parametrize(
    ("given", "confirmed", "urgency", "result"),
    [
        ([], [1, 2], HIGH, [(0, 1), (0, 2)]),
        ([], [], HIGH, []),
        ([(0, 1), (300, 2)], [1, 2], HIGH, [(0, 1), (300, 2)]),
        ([(300, 2), (0, 1)], [1, 2], HIGH, [(0, 1), (300, 2)]),
        ([(0, 1), (300, 2), (600, 3)], [2, 3], HIGH, [(0, 2), (600, 3)]),
        ([(0, 1), (300, 2), (300, 3)], [2, 3], HIGH, [(0, 2), (0, 3)]),
        ([(0, 1), (300, 2)], [2], LOW, [(300, 2)]),
        ([(300, 1)], [2], LOW, [(0, 2)]),
        ([(0, 1), (600, 1)], [1], HIGH, [(0, 1), (600, 1)]),
    ],
)
def test_what_really_happens(
    given: list[tuple[int, int]],
    confirmed: list[int],
    urgency: Urgency,
    result: list[tuple[int, int]],
) -> None:
    found = effective_rules([ContactRule(*each) for each in given], confirmed, urgency)
    assert [(rule.delay, rule.contact_id) for rule in found] == result


@given(rules, contacts)
def test_an_urgent_page_uses_a_confirmed_way_at_once(
    kept: list[ContactRule], confirmed: list[int]
) -> None:
    found = effective_rules(kept, confirmed, HIGH)
    assert all(rule.contact_id in confirmed for rule in found)
    assert any(rule.delay == 0 for rule in found) is bool(confirmed)


@given(rules, contacts)
def test_another_page_uses_a_confirmed_way_some_time(
    kept: list[ContactRule], confirmed: list[int]
) -> None:
    assert bool(effective_rules(kept, confirmed, LOW)) is bool(confirmed)


@given(rules, contacts, st.sampled_from(Urgency))
def test_what_may_be_kept_happens_as_it_stands(
    kept: list[ContactRule], confirmed: list[int], urgency: Urgency
) -> None:
    if kept and not rule_mistakes(kept, confirmed, urgency):
        found = effective_rules(kept, confirmed, urgency)
        assert sorted(found, key=hash) == sorted(kept, key=hash)


@pytest.mark.parametrize(
    ("kept", "urgency", "field"),
    [
        ([ContactRule(60, 1)], HIGH, "rules.0.delay"),
        ([ContactRule(0, 9)], HIGH, "rules.0.contact_id"),
        ([ContactRule(0, 1), ContactRule(0, 1)], LOW, "rules.1.contact_id"),
        ([ContactRule(-1, 1)], LOW, "rules.0.delay"),
        ([ContactRule(0, 1), ContactRule(LONGEST_DELAY + 1, 1)], HIGH, "rules.1.delay"),
        ([ContactRule(number, 1) for number in range(MOST_RULES + 1)], HIGH, "rules"),
    ],
)
def test_what_may_not_be_kept(kept: list[ContactRule], urgency: Urgency, field: str) -> None:
    assert list(rule_mistakes(kept, {1, 2}, urgency)) == [field]


@pytest.mark.parametrize(
    "kept", [[], [ContactRule(60, 1)], [ContactRule(0, 1), ContactRule(0, 2), ContactRule(60, 1)]]
)
def test_what_may_be_kept(kept: list[ContactRule]) -> None:
    assert rule_mistakes(kept, {1, 2}, LOW) == {}
