"""Whether silences keep an alert quiet: each of its firing signals needs a silence.

A silence is matched against the labels of one signal, never against the labels that the
signals of an alert have in common. Different signals may be covered by different silences.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from incidentrelay.domain.matchers import Matcher, matches
from incidentrelay.domain.silences.silences import SilenceTiming, active_at, next_start

# Longer chains of silences that follow each other are cut off; the rest is looked up later.
_MOST_LINKS = 32


@dataclass(frozen=True, slots=True)
class TeamSilence:
    """A silence that has not ended: which labels it matches, and when it is in force."""

    id: int
    matchers: tuple[Matcher, ...]
    timing: SilenceTiming


@dataclass(frozen=True, slots=True)
class SilenceCoverage:
    """An alert is quiet until ``end``, because of the silences with these ``ids``."""

    ids: tuple[int, ...]
    end: datetime


def coverage_of_signals(
    silences: Sequence[TeamSilence], signals: Iterable[Mapping[str, str]], at: datetime
) -> SilenceCoverage | None:
    """The silences that keep an alert quiet at ``at``, given the labels of its firing signals.

    None if a signal is not covered, or if there are no signals. Otherwise the coverage
    ends when the first of the signals is no longer covered by any silence.
    """
    if not any(active_at(silence.timing, at) for silence in silences):
        return None
    chains = [_chain(matching, at) for matching in _matching_silences(silences, signals)]
    if not chains or not all(chains):
        return None
    end = min(chain[-1][1] for chain in chains)
    ids: dict[int, None] = {}
    for chain in chains:
        begin = at
        for silence_id, until in chain:
            if begin < end:
                ids[silence_id] = None
            begin = until
    return SilenceCoverage(tuple(ids), end)


def find_quiet_start(
    silences: Sequence[TeamSilence], signals: Iterable[Mapping[str, str]], at: datetime
) -> datetime | None:
    """The first instant from ``at`` on at which silences cover all signals; None if never.

    Also None if the silences of two signals keep missing each other for very long.
    """
    wanted = _matching_silences(silences, signals)
    for _ in range(_MOST_LINKS):
        starts = [_next_covered(matching, at) for matching in wanted]
        known = [start for start in starts if start is not None]
        if not known or len(known) < len(starts):
            return None
        if max(known) == at:
            return at
        at = max(known)
    return None


def covers_labels(silences: Iterable[TeamSilence], labels: Mapping[str, str], at: datetime) -> bool:
    """Whether a silence covers one signal with these labels at ``at``."""
    return any(
        active_at(silence.timing, at) is not None and matches(silence.matchers, labels)
        for silence in silences
    )


def list_partial_silences(
    silences: Iterable[TeamSilence], signals: Sequence[Mapping[str, str]], at: datetime
) -> list[int]:
    """The silences that cover some signals of an alert at ``at``, if not all are covered."""
    active = [silence for silence in silences if active_at(silence.timing, at)]
    if all(covers_labels(active, labels, at) for labels in signals):
        return []
    return [
        silence.id
        for silence in active
        if any(matches(silence.matchers, labels) for labels in signals)
    ]


def _matching_silences(
    silences: Sequence[TeamSilence], signals: Iterable[Mapping[str, str]]
) -> list[tuple[TeamSilence, ...]]:
    """The silences that match each signal; signals with the same silences count once."""
    found = {
        tuple(
            number for number, silence in enumerate(silences) if matches(silence.matchers, labels)
        ): None
        for labels in signals
    }
    return [tuple(silences[number] for number in numbers) for numbers in found]


def _chain(silences: Sequence[TeamSilence], at: datetime) -> list[tuple[int, datetime]]:
    """The (id, end) of silences that cover ``at`` and what follows without a break."""
    links: list[tuple[int, datetime]] = []
    for _ in range(_MOST_LINKS):
        active = [
            (window.end, silence.id)
            for silence in silences
            if (window := active_at(silence.timing, at))
        ]
        if not active:
            break
        at, last = max(active)
        links.append((last, at))
    return links


def _next_covered(silences: Sequence[TeamSilence], at: datetime) -> datetime | None:
    """The first instant from ``at`` on at which one of these silences is in force."""
    if any(active_at(silence.timing, at) for silence in silences):
        return at
    starts = [next_start(silence.timing, at) for silence in silences]
    return min((start for start in starts if start is not None), default=None)
