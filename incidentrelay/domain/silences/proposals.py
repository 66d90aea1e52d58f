"""Proposes the matchers of a silence for the signals of one alert."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import re2

from incidentrelay.domain.matchers import MAX_MATCHERS, MAX_NAME, MAX_VALUE, Matcher, Op, render_one

# How bad a problem is does not identify it: it may come back worse.
_NOT_IDENTIFYING = frozenset({"severity", "source_severity"})


@dataclass(frozen=True, slots=True)
class MatcherProposal:
    """``matchers`` match every signal, and as little else as matchers can say.

    The values of the labels in ``varying`` differ between the signals; their matchers list
    all values, so combinations of them that no signal has match too. The labels in
    ``omitted`` have no matcher, because their names or values are too long or too many.
    """

    matchers: tuple[str, ...]
    varying: tuple[str, ...] = ()
    omitted: tuple[str, ...] = ()


def propose_matchers(signals: Sequence[Mapping[str, str]]) -> MatcherProposal:
    """Matchers for signals with these labels, whatever their severity; the name first."""
    names = {name for labels in signals for name, value in labels.items() if name and value}
    proposed: list[str] = []
    varying: list[str] = []
    omitted: list[str] = []
    for name in sorted(names - _NOT_IDENTIFYING, key=lambda name: (name != "alertname", name)):
        values = sorted({labels.get(name, "") for labels in signals})
        matcher = _matcher_of(name, values)
        if matcher is None or len(proposed) == MAX_MATCHERS:
            omitted.append(name)
            continue
        proposed.append(render_one(matcher))
        if len(values) > 1:
            varying.append(name)
    return MatcherProposal(tuple(proposed), tuple(varying), tuple(omitted))


def _matcher_of(name: str, values: Sequence[str]) -> Matcher | None:
    """One matcher for exactly these values of a label; None if it would be too long."""
    if len(name) > MAX_NAME:
        return None
    op, value = Op.EQUAL, values[0]
    if len(values) > 1:
        op, value = Op.REGEX, "|".join(re2.escape(value) for value in values)
    return Matcher(name, op, value) if len(value) <= MAX_VALUE else None
