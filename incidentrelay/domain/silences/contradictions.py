"""Finds matchers that no signal can satisfy together."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import re2

from incidentrelay.domain.matchers import Matcher, Op


def find_contradictions(matchers: Iterable[Matcher]) -> list[tuple[Matcher, ...]]:
    """The matchers of each label that no value satisfies, by label.

    Finds every contradiction with ``=`` or with a regular expression that only lists
    values, and ``=~`` and ``!~`` of the same expression. Other expressions are not compared.
    """
    by_label: dict[str, dict[Matcher, None]] = defaultdict(dict)
    for matcher in matchers:
        by_label[matcher.name][matcher] = None
    return [tuple(group) for group in by_label.values() if _is_impossible(list(group))]


def _is_impossible(group: list[Matcher]) -> bool:
    patterns = {matcher.value for matcher in group if matcher.op is Op.REGEX}
    if any(matcher.op is Op.NOT_REGEX and matcher.value in patterns for matcher in group):
        return True
    return any(
        not any(_accept(group, value) for value in values) for values in _listed_values(group)
    )


def _accept(group: list[Matcher], value: str) -> bool:
    return all(matcher.matches({matcher.name: value}) for matcher in group)


def _listed_values(group: list[Matcher]) -> Iterator[list[str]]:
    """The only values that a matcher accepts, for each matcher that lists them."""
    for matcher in group:
        if matcher.op is Op.EQUAL:
            yield [matcher.value]
        elif matcher.op is Op.REGEX:
            parts = matcher.value.split("|")
            if all(re2.escape(part) == part for part in parts):
                yield parts
