"""One problem reported by a monitoring system, in the product's own terms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from incidentrelay.domain.enums import Severity, SignalStatus


@dataclass(frozen=True, slots=True)
class IncomingSignal:
    """One item of a payload, as normalised by an integration.

    ``dedup_key`` identifies the problem within its route. ``starts_at`` and
    ``ends_at`` are the sender's times (aware, UTC) or None where it gave no
    usable ones; the receiver then uses the time of receipt. ``team`` is the slug
    that the payload asks for; it only narrows the routing of personal tokens.
    ``note`` is something that happened at the source and belongs on the timeline
    (an acknowledgement in Zabbix), with ``status`` as it is now.
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


@dataclass(frozen=True, slots=True)
class Rejection:
    """An item that cannot be used, with the reason in one sentence."""

    reason: str


SignalItem = IncomingSignal | Rejection
