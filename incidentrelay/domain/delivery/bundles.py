"""One message that tells of many alerts."""

from collections.abc import Sequence

from incidentrelay.domain.enums import NotificationKind
from incidentrelay.domain.messages import Message

_WHAT = {
    NotificationKind.PAGE: "Page",
    NotificationKind.ESCALATION: "Escalation",
    NotificationKind.FALLBACK: "Nobody else could be told",
    NotificationKind.ASSIGNMENT: "Assigned to you",
    NotificationKind.REMINDER: "Reminder",
    NotificationKind.UPDATE: "What has happened",
    NotificationKind.TEST: "Test",
}


def summarize_bundle(messages: Sequence[Message]) -> Message:
    """One message for at least two of the same kind, the worst first.

    Its description names the alerts, a line each, so that it can be read through
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
