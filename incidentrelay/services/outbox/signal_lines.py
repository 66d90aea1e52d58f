"""The signals that a message about an alert lists: the worst ones, in order."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from heapq import nsmallest
from typing import Protocol

from incidentrelay.domain.enums import SignalStatus
from incidentrelay.domain.intake.summary import SignalContent, rank_signal
from incidentrelay.domain.messages import SignalLine
from incidentrelay.domain.text import shorten

# Every message keeps them, one for each recipient.
MAX_SIGNALS = 10
_MAX_LABELS = 12
_MAX_VALUE = 200


class ListedSignal(SignalContent, Protocol):
    """The fields of a signal that a list shows in addition to those of a summary."""

    @property
    def status(self) -> SignalStatus: ...
    @property
    def starts_at(self) -> datetime: ...


def list_signals(signals: Iterable[ListedSignal]) -> tuple[SignalLine, ...]:
    return tuple(_line(signal) for signal in nsmallest(MAX_SIGNALS, signals, key=rank_signal))


def _line(signal: ListedSignal) -> SignalLine:
    return SignalLine(
        title=signal.title,
        severity=signal.severity,
        status=signal.status,
        labels=_labels(signal.labels),
        link=signal.link,
        started_at=signal.starts_at.isoformat(),
    )


def _labels(labels: Mapping[str, str]) -> dict[str, str]:
    return {name: shorten(value, _MAX_VALUE) for name, value in list(labels.items())[:_MAX_LABELS]}
