"""What is said to people, before any channel's dialect.

A :class:`Message` is a value that can be stored as JSON: it is written with the
notification and rendered by the channel when it is sent. It holds no secret:
links that carry a token are made when it is sent (:class:`Links`).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self

from incidentrelay.domain.enums import AlertStatus, NotificationKind, Severity, SignalStatus


@dataclass(frozen=True, slots=True)
class SignalLine:
    """One signal of an alert, as messages list it."""

    title: str
    severity: Severity
    status: SignalStatus
    labels: Mapping[str, str]
    link: str | None
    started_at: str

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        severity, status = Severity(data["severity"]), SignalStatus(data["status"])
        return cls(**{**data, "severity": severity, "status": status})


@dataclass(frozen=True, slots=True)
class Message:
    """One message about one alert (or a test of a channel: ``alert_id`` None).

    ``headline`` says why it comes ("Page", "Reminder 2", "Escalated to bob",
    "Acknowledged by ann"). ``labels`` are at most a screenful, as name → value.
    ``signals`` are the worst of the alert's ``signal_count`` signals; if ``joined`` is not 0,
    they are the first of the ``joined`` signals that the message is about.
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
        signals = [asdict(signal) for signal in self.signals]
        return {**asdict(self), "labels": dict(self.labels), "signals": signals}

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
    """The addresses that go into one message to one recipient.

    ``console`` is the alert's page for whoever can sign in; ``act`` is the
    one-tap page (signed for one person and one alert), or None where the
    recipient is not a person.
    """

    console: str | None = None
    act: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One of the alerts that a message tells of, with its own links."""

    message: Message
    links: Links


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message on its way: what, in which words, and the sender's handles.

    ``idempotency_key`` stays the same over all attempts of one notification and
    is never reused for another one. ``thread_key`` is the same for all messages
    about one alert. ``now`` is the time of this attempt.

    Where one message tells of many alerts, ``parts`` are these, the worst first, and
    ``message`` sums them up; otherwise ``parts`` is empty.
    """

    message: Message
    links: Links
    idempotency_key: str
    thread_key: str
    now: datetime
    parts: tuple[Part, ...] = ()
