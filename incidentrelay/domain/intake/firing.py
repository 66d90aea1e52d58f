"""The firing signals of one alert, and the highest severity among them."""

from collections import Counter
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from incidentrelay.domain.enums import Severity


class RankedSignal(Protocol):
    dedup_key: str
    severity: Severity


SomeSignal = TypeVar("SomeSignal", bound=RankedSignal)


class FiringSignals(Generic[SomeSignal]):
    """Signals by dedup key. All operations take constant time.

    The severity of a signal must not change while it is in the collection.
    """

    __slots__ = ("_by_key", "_severities")

    def __init__(self) -> None:
        self._by_key: dict[str, SomeSignal] = {}
        self._severities: Counter[Severity] = Counter()

    def __len__(self) -> int:
        return len(self._by_key)

    def __iter__(self) -> Iterator[SomeSignal]:
        return iter(self._by_key.values())

    @property
    def severity(self) -> Severity | None:
        """The highest severity; None without signals."""
        firing = (severity for severity, count in self._severities.items() if count)
        return max(firing, key=lambda severity: severity.rank, default=None)

    def add(self, signal: SomeSignal) -> None:
        self._by_key[signal.dedup_key] = signal
        self._severities[signal.severity] += 1

    def remove(self, signal: SomeSignal) -> None:
        del self._by_key[signal.dedup_key]
        self._severities[signal.severity] -= 1
