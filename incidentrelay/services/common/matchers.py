"""Matchers and label names as routes and silences store them."""

from collections.abc import Mapping
from typing import Any

from incidentrelay.domain.matchers import (
    MAX_MATCHERS,
    MAX_NAME,
    MAX_VALUE,
    Matcher,
    Op,
    parse_list,
    render,
)
from incidentrelay.services.common import limits, validation

# These say how bad a problem is, not which one: it may come back worse.
_NOT_IDENTIFYING = frozenset({"severity", "source_severity"})
_POSITIVE = (Op.EQUAL, Op.REGEX)
_texts = validation.listing(validation.prose(limits.MATCHER.high), *limits.MATCHERS)

# A no-break space at the end of a label's name is part of the name.
group_by: validation.Check = validation.listing(
    validation.line(*limits.LABEL_NAME, blanks=" \t\r\n"), *limits.GROUP_BY
)


def parse_matchers(value: Any) -> list[str]:
    """A list of matchers; a check. Raises BadMatchers with the place of a mistake."""
    texts: list[str] = _texts([value] if isinstance(value, str) else value)
    parse_list(texts)
    return texts


def matchers_of_labels(labels: Mapping[str, str]) -> list[str]:
    """Matchers for alerts with exactly these labels, of any severity; the name first."""
    names = sorted(
        (
            name
            for name, value in labels.items()
            if name not in _NOT_IDENTIFYING
            and 0 < len(name) <= MAX_NAME
            and 0 < len(value) <= MAX_VALUE
        ),
        key=lambda name: (name != "alertname", name),
    )
    found = [Matcher(name, Op.EQUAL, labels[name]) for name in names[:MAX_MATCHERS]]
    return [render([matcher]).removeprefix("{").removesuffix("}") for matcher in found]


def match_everything(texts: list[str]) -> bool:
    """Whether no matcher requires a label to be present.

    As in Alertmanager, a negative matcher counts as a requirement.
    """
    return all(_matches_nothing_given(matcher) for matcher in parse_list(texts))


def _matches_nothing_given(matcher: Matcher) -> bool:
    return matcher.op in _POSITIVE and matcher.matches({})
