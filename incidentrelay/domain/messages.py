"""Messages to people, independent of any channel's format.

A :class:`Message` is stored as JSON with its notification and rendered by the channel
when it is sent. It contains no secrets: links with a token (:class:`Links`) are created
when it is sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from incidentrelay.domain.enums import AlertStatus, NotificationKind, Severity, SignalStatus


def _fields_of(value: Any) -> dict[str, Any]:
    """The fields by name. dataclasses.asdict copies deeply, which took half of an intake."""
    return {name: getattr(value, name) for name in value.__slots__}


@dataclass(frozen=True, slots=True)
class SignalLine:
    """One signal of an alert, as messages list it."""

    title: str
    severity: Severity
    status: SignalStatus
    labels: Mapping[str, str]
    link: str | None
    started_at: str

    def to_json(self) -> dict[str, Any]:
        return {**_fields_of(self), "labels": dict(self.labels)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        severity, status = Severity(data["severity"]), SignalStatus(data["status"])
        return cls(**{**data, "severity": severity, "status": status})


@dataclass(frozen=True, slots=True)
class Message:
    """One message about an alert (``alert_id`` is None for others, such as tests).

    ``headline`` is the reason ("Page", "Reminder 2", "Escalated to bob", "Acknowledged by
    ann"). ``labels`` map names to values, at most a screenful. ``signals`` are the worst of the
    alert's ``signal_count`` signals. If ``joined`` is not 0, the message is about that many
    signals that joined, and ``signals`` are the first of them.
    """

    kind: NotificationKind
    headline: str
    title: str
    severity: Severity
    status: AlertStatus
    team: str
    alert_id: int | None = None
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    source_link: str | None = None
    runbook_link: str | None = None
    assignee: str | None = None
    started_at: str = ""
    signal_count: int = 1
    signals: tuple[SignalLine, ...] = ()
    joined: int = 0
    acknowledged_by: str | None = None
    acknowledged_at: str | None = None

    def to_json(self) -> dict[str, Any]:
        signals = [signal.to_json() for signal in self.signals]
        return {**_fields_of(self), "labels": dict(self.labels), "signals": signals}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            **{
                **data,
                "kind": NotificationKind(data["kind"]),
                "severity": Severity(data["severity"]),
                "status": AlertStatus(data["status"]),
                "signals": tuple(map(SignalLine.from_json, data.get("signals", ()))),
            }
        )


@dataclass(frozen=True, slots=True)
class Links:
    """The URLs in one message to one recipient.

    ``console`` is the alert's page, which requires sign-in. ``act`` is the action page,
    signed for one person and one alert; None if the recipient is not a person.
    """

    console: str | None = None
    act: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One alert of a bundled message, with its own links."""

    message: Message
    links: Links


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message ready to send.

    ``idempotency_key`` is the same for all attempts of one notification and unique to it.
    ``thread_key`` is the same for all messages about one alert. ``now`` is the time of
    this attempt, ``zone`` the recipient's time zone. ``reopened`` is true if the alert
    fires again after it was resolved.

    In a bundle of several alerts, ``parts`` lists them, the most severe first, and
    ``message`` summarises them; otherwise ``parts`` is empty.
    """

    message: Message
    links: Links
    idempotency_key: str
    thread_key: str
    now: datetime
    parts: tuple[Part, ...] = ()
    zone: str = "UTC"
    reopened: bool = False
