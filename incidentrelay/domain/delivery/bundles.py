"""Which notifications share a message, which go first, and the text of the message."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from incidentrelay.domain.delivery.rate_limit import bundle_size
from incidentrelay.domain.enums import NotificationKind
from incidentrelay.domain.messages import Message

# A notification that has waited this long goes before more urgent ones.
MAX_DEFERRAL = timedelta(minutes=2)

_WHAT = {
    NotificationKind.PAGE: "Page",
    NotificationKind.ESCALATION: "Escalation",
    NotificationKind.FALLBACK: "Nobody else could be reached",
    NotificationKind.ASSIGNMENT: "Assigned to you",
    NotificationKind.REMINDER: "Reminder",
    NotificationKind.UPDATE: "Update",
    NotificationKind.TEST: "Test",
}


@dataclass(frozen=True, slots=True)
class WaitingNotification:
    """A notification of one recipient that is due.

    ``key`` is the idempotency key of an earlier attempt that may have arrived: until that is
    settled, the notification is sent again under this key and with the same others. A
    notification that is not ``shareable`` always goes alone.
    """

    id: int
    kind: NotificationKind
    priority: int
    created_at: datetime
    key: str | None = None
    shareable: bool = True

    @property
    def group(self) -> tuple[str, object]:
        """Notifications of the same group can share a message."""
        if self.key is not None:
            return "key", self.key
        return ("kind", self.kind) if self.shareable else ("alone", self.id)


def urgency(waiting: WaitingNotification, now: datetime) -> tuple[int, int]:
    """Sorts what goes first: by priority, then the oldest.

    A notification that has waited for ``MAX_DEFERRAL`` comes before everything else, so a
    stream of urgent notifications cannot hold back the others forever.
    """
    overdue = waiting.created_at <= now - MAX_DEFERRAL
    return (-1 if overdue else waiting.priority), waiting.id


def choose_message(
    waiting: Sequence[WaitingNotification],
    requested: WaitingNotification,
    credit: int,
    now: datetime,
) -> Sequence[WaitingNotification]:
    """The notifications of the recipient's next message; ``requested`` is one of ``waiting``.

    With credit for a single message, the most urgent group goes and ``requested`` may have
    to wait for it. A notification goes alone while there is credit for one message each.
    """
    ordered = sorted(waiting, key=lambda each: urgency(each, now))
    head = ordered[0] if credit == 1 else requested
    group = [each for each in ordered if each.group == head.group]
    if head.key is not None:
        return group
    size = bundle_size(len(group), credit)
    return group[:size] if size > 1 else [head]


def summarize_bundle(messages: Sequence[Message]) -> Message:
    """One message for at least two of the same kind, the worst first.

    Its description lists the alerts, one per line, so it can be read through
    channels without support for bundles.
    """
    ordered = sorted(messages, key=lambda message: -message.severity.rank)
    worst = ordered[0]
    teams = list(dict.fromkeys(message.team for message in ordered))
    assignees = {message.assignee for message in ordered}
    starts = [message.started_at for message in ordered if message.started_at]
    return Message(
        kind=worst.kind,
        headline=f"{_WHAT[worst.kind]}: {len(ordered)} alerts",
        title=f"{len(ordered)} alerts, the worst: {worst.title}",
        severity=worst.severity,
        status=worst.status,
        team=", ".join(teams[:3]) + (" and others" if len(teams) > 3 else ""),
        description=_listing(ordered),
        labels=_common_labels(ordered),
        assignee=assignees.pop() if len(assignees) == 1 else None,
        started_at=min(starts, default=""),
        signal_count=sum(message.signal_count for message in ordered),
    )


def _listing(messages: Sequence[Message]) -> str:
    is_update = messages[0].kind is NotificationKind.UPDATE
    return "\n".join(
        f"{message.headline if is_update else message.severity}: {message.title}"
        for message in messages
    )


def _common_labels(messages: Sequence[Message]) -> dict[str, str]:
    first, *others = messages
    return {
        name: value
        for name, value in first.labels.items()
        if all(other.labels.get(name) == value for other in others)
    }
