"""A message as chat programs show it: one bounded card, before any vendor's escaping."""

from collections.abc import Iterator
from dataclasses import dataclass

from incidentrelay.channels.render import block, moment, one_line, web_link
from incidentrelay.domain.enums import AlertStatus, NotificationKind, Severity
from incidentrelay.domain.messages import Envelope, Message, Part

_RESOLVED_COLOUR = 0x1E7B3C
_ACKNOWLEDGED_COLOUR = 0x4D5766
_COLOURS = {
    Severity.CRITICAL: 0xC01C28,
    Severity.HIGH: 0xE8590C,
    Severity.MEDIUM: 0xD9A404,
    Severity.WARNING: 0xD9A404,
    Severity.LOW: 0x1A5FB4,
    Severity.INFO: 0x4D5766,
}
_STATES = {
    AlertStatus.FIRING: "Firing",
    AlertStatus.ACKNOWLEDGED: "Acknowledged",
    AlertStatus.RESOLVED: "Resolved",
}
# Nobody reads more of them in a chat; the link leads to all.
MAX_ENTRIES = 20
_MAX_LABELS = 10


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list: an alert of a bundle or a signal of an alert."""

    label: str
    title: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Card:
    """Plain text: strangers wrote some of it, so each vendor's package escapes it.

    ``state`` ("Firing") is empty for a message about no alert. ``facts`` are names and
    short values, ``entries`` alerts or signals, ``omitted`` the number of entries left out.
    ``colour`` is 0xRRGGBB.
    """

    state: str
    headline: str
    title: str
    url: str | None
    description: str
    facts: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, str], ...]
    entries: tuple[Entry, ...]
    omitted: int
    links: tuple[Link, ...]
    colour: int

    @property
    def summary(self) -> str:
        """One line for notifications and lists: "Firing: Disk full on db1"."""
        return f"{self.state}: {self.title}" if self.state else self.title

    @property
    def subtitle(self) -> str:
        """Why the message was sent, and the state: "Reminder 2 · Firing"."""
        return " · ".join(filter(None, (self.headline, self.state)))


def make_card(envelope: Envelope) -> Card:
    """The card of a message or a bundle."""
    message = envelope.message
    about_alert = message.alert_id is not None or bool(envelope.parts)
    state = _state(envelope) if about_alert else ""
    entries, count = _entries(envelope)
    return Card(
        state=state,
        headline=one_line(message.headline),
        title=one_line(message.title, 250) or "Untitled alert",
        url=web_link(envelope.links.act) or web_link(envelope.links.console),
        description="" if envelope.parts else block(message.description, 1500),
        facts=tuple(_facts(message, envelope.zone)) if about_alert else (),
        labels=() if envelope.parts else _labels(message),
        entries=entries,
        omitted=count - len(entries),
        links=tuple(_links(envelope)),
        colour=_colour(envelope),
    )


def _state(envelope: Envelope) -> str:
    statuses = {part.message.status for part in envelope.parts} or {envelope.message.status}
    if len(statuses) > 1:
        return "Update"
    [status] = statuses
    return "Reopened" if envelope.reopened and status is AlertStatus.FIRING else _STATES[status]


def _colour(envelope: Envelope) -> int:
    status = envelope.message.status
    if status is AlertStatus.RESOLVED:
        return _RESOLVED_COLOUR
    if status is AlertStatus.ACKNOWLEDGED:
        return _ACKNOWLEDGED_COLOUR
    return _COLOURS[envelope.message.severity]


def _facts(message: Message, zone: str) -> Iterator[tuple[str, str]]:
    yield "Severity", message.severity.capitalize()
    if message.team:
        yield "Team", one_line(message.team, 100)
    if message.acknowledged_by:
        yield "Acknowledged by", one_line(message.acknowledged_by, 100)
    elif message.assignee:
        yield "Assignee", one_line(message.assignee, 100)
    if message.started_at:
        yield "Firing since", moment(message.started_at, zone)
    if message.signal_count > 1:
        yield "Signals", str(message.signal_count)


def _labels(message: Message) -> tuple[tuple[str, str], ...]:
    pairs = ((one_line(name, 60), one_line(value, 120)) for name, value in message.labels.items())
    return tuple(pair for pair, _ in zip(pairs, range(_MAX_LABELS), strict=False))


def _entries(envelope: Envelope) -> tuple[tuple[Entry, ...], int]:
    """The list of the message, and how many entries it would have without a bound."""
    if envelope.parts:
        parts = envelope.parts[:MAX_ENTRIES]
        return tuple(_part(part) for part in parts), len(envelope.parts)
    message = envelope.message
    if message.signal_count < 2 and not message.joined:
        return (), 0
    signals = tuple(
        Entry(signal.severity.capitalize(), one_line(signal.title, 120), web_link(signal.link))
        for signal in message.signals[:MAX_ENTRIES]
    )
    return signals, max(message.joined or message.signal_count, len(signals)) if signals else 0


def _part(part: Part) -> Entry:
    message = part.message
    update = message.kind is NotificationKind.UPDATE
    label = one_line(message.headline, 60) if update else message.severity.capitalize()
    return Entry(label, one_line(message.title, 120), web_link(part.links.console))


def _links(envelope: Envelope) -> Iterator[Link]:
    message = envelope.message
    candidates = (
        ("Acknowledge", envelope.links.act if message.status is AlertStatus.FIRING else None),
        ("Open alerts" if envelope.parts else "Open alert", envelope.links.console),
        ("Runbook", message.runbook_link),
        ("Source", message.source_link),
    )
    for label, url in candidates:
        if (checked := web_link(url)) is not None:
            yield Link(label, checked)
