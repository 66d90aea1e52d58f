"""The interface of integrations, which turn one source's payload into signals.

The law of this package: ``normalise`` is pure and tolerant. Unknown fields are ignored,
label values that are not strings become their JSON text, and unusable times become None.
It raises :class:`InvalidInput` only if the body as a whole does not have the source's
shape.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from incidentrelay.domain.intake.signals import SignalItem


@dataclass(frozen=True, slots=True)
class IntegrationInfo:
    """``name`` is the last segment of the intake URL; ``docs`` a page under docs/integrations/."""

    name: str
    label: str
    docs: str


class Integration(Protocol):
    info: IntegrationInfo

    def normalise(self, payload: Any, headers: Mapping[str, str]) -> Sequence[SignalItem]:
        """The items of ``payload``, in its order.

        ``payload`` is decoded JSON (sanitised text, bounded depth and size).
        Raises InvalidInput if the body has an unknown shape.
        """
        ...


@runtime_checkable
class CountsLeftOut(Protocol):
    """An integration whose source reports how many alerts it did not send."""

    def count_left_out(self, payload: Any) -> int: ...
