"""The interface of integrations, which turn one source's payload into signals.

The law of this package: ``normalise`` is pure and tolerant. Unknown fields are ignored,
label values that are not strings become their JSON text, and unusable times become None.
It raises :class:`InvalidInput` only if the body as a whole does not have the source's
shape.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
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


@dataclass(frozen=True, slots=True)
class SenderSnippet:
    """A piece of the sender's configuration: where it goes, and its text, ready to paste.

    ``file`` is downloaded and imported into the sender as it is.
    """

    title: str
    where: str
    text: str = ""
    file: Path | None = None


@runtime_checkable
class DescribesSender(Protocol):
    """An integration that says how to set up its sender."""

    def snippets(self, intake_url: str, token: str) -> Sequence[SenderSnippet]: ...


@runtime_checkable
class CountsLeftOut(Protocol):
    """An integration whose source reports how many alerts it did not send."""

    def count_left_out(self, payload: Any) -> int: ...
