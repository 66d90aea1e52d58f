"""What an alert shows: a pure function of its firing signals.

Nothing is accumulated: whenever a signal joins, changes or ends, everything is computed again,
so an alert never names a host that has recovered. When all signals have ended, it is computed
from the last ones.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Protocol

from incidentrelay.domain.enums import Severity
from incidentrelay.domain.intake.state import IntakeBatch
from incidentrelay.domain.text import shorten

MAX_TITLE = 255


class SignalContent(Protocol):
    """What the summary reads of a signal."""

    @property
    def dedup_key(self) -> str: ...
    @property
    def severity(self) -> Severity: ...
    @property
    def title(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def labels(self) -> Mapping[str, str]: ...
    @property
    def annotations(self) -> Mapping[str, str]: ...
    @property
    def link(self) -> str | None: ...
    @property
    def first_seen_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class AlertSummary:
    severity: Severity
    title: str
    description: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    link: str | None


def summarize_signals(signals: Sequence[SignalContent]) -> AlertSummary:
    """What an alert with these (at least one) signals shows; their order does not matter.

    The lead is the most severe signal, and of these the oldest by our own clock. Values that
    all share are shown, else those of the lead; a title of the lead counts the others.
    """
    lead = min(signals, key=rank_signal)
    title = lead.title
    if not _all_same(signals, attrgetter("title")):
        title = _and_more(title, len(signals) - 1)
    annotations = _common(lead.annotations, (signal.annotations for signal in signals))
    return AlertSummary(
        severity=lead.severity,
        title=title,
        description=lead.description,
        labels=_common(lead.labels, (signal.labels for signal in signals)),
        annotations=annotations or dict(lead.annotations),
        link=lead.link,
    )


def rank_signal(signal: SignalContent) -> tuple[int, datetime, str]:
    """The order in which signals are listed: the most severe first, then the oldest."""
    return -signal.severity.rank, signal.first_seen_at, signal.dedup_key


def summarize_alerts(batch: IntakeBatch) -> None:
    """Summarize the changed alerts again, each once, however many signals it has."""
    for alert in batch.alerts.values():
        if not alert.changed:
            continue
        shown = summarize_signals(alert.shown_signals)
        alert.severity, alert.title, alert.description = (
            shown.severity,
            shown.title,
            shown.description,
        )
        alert.labels, alert.annotations = dict(shown.labels), dict(shown.annotations)
        alert.source_link = shown.link


def _all_same(
    signals: Iterable[SignalContent], value: Callable[[SignalContent], str | None]
) -> bool:
    values = map(value, signals)
    first = next(values)
    return all(other == first for other in values)


def _and_more(title: str, others: int) -> str:
    suffix = f" and {others} more"
    return shorten(title, MAX_TITLE - len(suffix)) + suffix


def _common(lead: Mapping[str, str], all_pairs: Iterable[Mapping[str, str]]) -> dict[str, str]:
    shared = dict(lead)
    for pairs in all_pairs:
        if not shared:
            break
        shared = {name: value for name, value in shared.items() if pairs.get(name) == value}
    return shared
