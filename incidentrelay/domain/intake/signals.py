"""One problem reported by a monitoring system, in the product's own terms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from incidentrelay.domain.enums import Severity, SignalStatus

_TIMES = ("starts_at", "ends_at")


@dataclass(frozen=True, slots=True)
class IncomingSignal:
    """One item of a payload, as normalised by an integration.

    ``dedup_key`` identifies the problem within its route. ``starts_at`` and ``ends_at`` are the
    sender's times (aware, UTC) or None if it gave no usable ones; the receiver then uses the
    time of receipt. ``team`` is the slug in the payload; it only narrows the routing of
    personal tokens. ``note`` is something that happened at the source and belongs on the
    timeline (an acknowledgement in Zabbix), with ``status`` as it is now.
    """

    dedup_key: str
    status: SignalStatus
    severity: Severity
    title: str
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    link: str | None = None
    team: str | None = None
    note: str | None = None

    def to_json(self) -> dict[str, Any]:
        """All but the note, which is on the timeline already."""
        times = {"starts_at": self.starts_at, "ends_at": self.ends_at}
        return {
            "dedup_key": self.dedup_key,
            "status": self.status,
            "severity": self.severity,
            "title": self.title,
            "description": self.description,
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
            "link": self.link,
            "team": self.team,
            **{name: at.isoformat() for name, at in times.items() if at is not None},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        times = {name: datetime.fromisoformat(data[name]) for name in _TIMES if name in data}
        enums = {"status": SignalStatus(data["status"]), "severity": Severity(data["severity"])}
        return cls(**{**data, **enums, **times})


@dataclass(frozen=True, slots=True)
class Rejection:
    """An item that cannot be used, with the reason in one sentence."""

    reason: str


SignalItem = IncomingSignal | Rejection
