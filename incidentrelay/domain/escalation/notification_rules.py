"""Which contact methods of a person are used, and after how long.

A rule names a contact method and how long after the page it is used. An urgent page
always uses at least one method at once if the person has one.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from incidentrelay.domain.enums import Severity, Urgency

MOST_RULES = 10
LONGEST_DELAY = 4 * 3600

_URGENT = frozenset({Severity.CRITICAL, Severity.HIGH})


@dataclass(frozen=True, slots=True)
class ContactRule:
    """``delay`` is in seconds, counted from the page."""

    delay: int
    contact_id: int


def urgency_of(severity: Severity) -> Urgency:
    return Urgency.HIGH if severity in _URGENT else Urgency.LOW


def effective_rules(
    rules: Sequence[ContactRule], confirmed: Sequence[int], urgency: Urgency
) -> tuple[ContactRule, ...]:
    """The rules that apply, by time. ``confirmed`` are the contacts that may be used.

    Rules of other contacts do not count. If none is left, all confirmed contacts are used at
    once. If an urgent list lost its first contact, the next one is used at once.
    """
    usable = [rule for rule in dict.fromkeys(rules) if rule.contact_id in confirmed]
    usable.sort(key=attrgetter("delay"))
    if not usable:
        return tuple(ContactRule(0, contact_id) for contact_id in confirmed)
    first = usable[0].delay
    if urgency is Urgency.HIGH and first > 0:
        usable = [replace(rule, delay=0) if rule.delay == first else rule for rule in usable]
    return tuple(usable)


def rule_mistakes(
    rules: Sequence[ContactRule], confirmed: Collection[int], urgency: Urgency
) -> dict[str, list[str]]:
    """Why a list cannot be saved, by field; an empty list means the default."""
    if len(rules) > MOST_RULES:
        return {"rules": [f"Have at most {MOST_RULES} rules."]}
    wrong: dict[str, list[str]] = {}
    for place, rule in enumerate(rules):
        if not 0 <= rule.delay <= LONGEST_DELAY:
            text = f"Wait at most {LONGEST_DELAY // 3600} hours."
            wrong[f"rules.{place}.delay"] = [text]
        if rule.contact_id not in confirmed:
            wrong[f"rules.{place}.contact_id"] = ["Choose a contact of yours that is confirmed."]
        elif rule in rules[:place]:
            wrong[f"rules.{place}.contact_id"] = ["This rule is listed twice."]
    late = bool(rules) and min(rule.delay for rule in rules) > 0
    if late and urgency is Urgency.HIGH and not wrong:
        wrong["rules.0.delay"] = ["One rule for urgent alerts must come at once."]
    return wrong
