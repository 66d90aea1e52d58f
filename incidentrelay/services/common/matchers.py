"""Matchers and label names as routes and silences store them."""

from typing import Any

from incidentrelay.domain.matchers import Matcher, Op, parse_list
from incidentrelay.services.common import limits, validation

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


def match_everything(texts: list[str]) -> bool:
    """Whether no matcher requires a label to be present.

    As in Alertmanager, a negative matcher counts as a requirement.
    """
    return all(_matches_nothing_given(matcher) for matcher in parse_list(texts))


def _matches_nothing_given(matcher: Matcher) -> bool:
    return matcher.op in _POSITIVE and matcher.matches({})
