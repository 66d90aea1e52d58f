"""The final audit: compares the answers to senders, the stored rows, and the arrivals."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from incidentrelay.channels.email.channel import message_id
from incidentrelay.db import Database
from incidentrelay.domain.enums import DeliveryState, EventKind, NotificationKind
from incidentrelay.models import Alert, Attempt, Event, Notification
from incidentrelay.services.outbox.records import DUE
from tests.chaos.fleet import THREADS
from tests.chaos.senders import Ledger
from tests.e2e.sinks import MailSink, WebhookSink, alert_ids

ARRIVED = frozenset({DeliveryState.SENT, DeliveryState.DELIVERED})
# Each of them must deliver the page of every alert that is still firing.
WAYS = ("webhook", "email")
TIMELINE = frozenset({EventKind.CREATED, EventKind.PAGED, EventKind.NOTIFICATION_SENT})
# A worker has as many threads for the queue as for its own sweeps.
MOST_IN_FLIGHT = 2 * THREADS


@dataclass(frozen=True)
class Books:
    """All relevant rows, as they are at the end."""

    alerts: Mapping[str, list[Alert]]
    notifications: Sequence[Notification]
    events: Mapping[int, list[Event]]
    attempts: Mapping[int, list[Attempt]]
    # Times of the requests that were accepted, by the notification's uid.
    arrivals: Mapping[str, list[float]]

    @property
    def duplicates(self) -> int:
        """Messages that came once more; one may tell of many alerts."""
        times = {
            _message_of(row): len(self.arrivals[row.uid])
            for row in self.notifications
            if row.uid in self.arrivals
        }
        return sum(count - 1 for count in times.values())

    @property
    def taken_over(self) -> int:
        """Deliveries that a slow worker finished after its lease had run out."""
        sent = [
            sum(attempt.outcome in ARRIVED for attempt in attempts)
            for attempts in self.attempts.values()
        ]
        return sum(count - 1 for count in sent if count > 1)


def is_settled(database: Database) -> bool:
    """Whether no notification is pending."""
    with database.read() as session:
        waiting = select(Notification.id).where(Notification.state.in_(DUE)).limit(1)
        return session.scalar(waiting) is None


def read(database: Database, hook: WebhookSink, mail: MailSink) -> Books:
    alerts: dict[str, list[Alert]] = defaultdict(list)
    events: dict[int, list[Event]] = defaultdict(list)
    attempts: dict[int, list[Attempt]] = defaultdict(list)
    with database.read() as session:
        for alert in session.scalars(select(Alert)):
            alerts[alert.labels["alertname"]].append(alert)
        query = select(Notification).options(joinedload(Notification.user))
        notifications = session.scalars(query.order_by(Notification.id)).all()
        for event in session.scalars(select(Event)):
            events[event.alert_id].append(event)
        for attempt in session.scalars(select(Attempt)):
            attempts[attempt.notification_id].append(attempt)
        _detach(session)
    return Books(alerts, notifications, events, attempts, _arrivals(notifications, hook, mail))


def _detach(session: Session) -> None:
    """Keep the loaded values."""
    session.expunge_all()


def _arrivals(
    notifications: Sequence[Notification], hook: WebhookSink, mail: MailSink
) -> dict[str, list[float]]:
    """A notification has arrived with the message of its key, if that names its alert."""
    messages: dict[str, list[tuple[float, set[int]]]] = defaultdict(list)
    for request in list(hook.hooks):
        if request.accepted:
            messages[request.id].append((request.at, request.alert_ids))
    for at, _, message in list(mail.mails):
        messages[str(message["Message-ID"])].append((at, alert_ids(message)))
    arrivals = {
        row.uid: [at for at, told in messages[_message_of(row)] if row.alert_id in told]
        for row in notifications
    }
    return {uid: times for uid, times in arrivals.items() if times}


def _message_of(row: Notification) -> str:
    """How the receiver names the message that tells of this."""
    key = row.bundle or row.uid
    if row.method != "email":
        return key
    assert row.user is not None
    assert row.user.email is not None
    return message_id("message", f"{key} {row.user.email}", "relay.example")


def complaints(books: Books, ledger: Ledger, interrupted: int) -> list[str]:
    """Every broken promise, as a sentence; empty if there are none.

    ``interrupted`` says how often a worker died, or could not write a result down.
    """
    return [
        *(f"A sender was refused: {text}" for text in ledger.refused),
        *(f"{name} was never taken in." for name in ledger.unanswered),
        *_twins(books, ledger),
        *_lost_pages(books, ledger),
        *_bad_rows(books),
        *_bad_timelines(books),
        *_too_many_duplicates(books, interrupted),
    ]


def _twins(books: Books, ledger: Ledger) -> Iterator[str]:
    for name, told in ledger.alerts.items():
        stored = {alert.id for alert in books.alerts.get(name, [])}
        if told.created > 1:
            yield f"{name} was created {told.created} times."
        if len(stored) != 1 or not told.ids <= stored:
            yield f"{name}: the senders were told {told.ids}, but stored is {stored}."


def _lost_pages(books: Books, ledger: Ledger) -> Iterator[str]:
    pages = {
        (row.alert_id, row.generation, row.method): row
        for row in books.notifications
        if row.kind is NotificationKind.PAGE
    }
    for name, told in ledger.alerts.items():
        for alert in books.alerts.get(name, []):
            if alert.status != ("firing" if told.firing else "resolved"):
                yield f"{name} is {alert.status}, but firing for its sender is {told.firing}."
            for way in WAYS if told.firing else ():
                page = pages.get((alert.id, alert.generation, way))
                if page is None or page.state not in ARRIVED or not books.arrivals.get(page.uid):
                    state = page.state if page else "not there"
                    yield f"{name}: its page by {way} is lost; the row is {state}."


def _bad_rows(books: Books) -> Iterator[str]:
    for row in books.notifications:
        where = f"Notification {row.id} ({row.uid})"
        if row.state in DUE or row.state is DeliveryState.FAILED:
            yield f"{where} is {row.state} after {row.attempts} attempts: {row.last_error}"
        if row.method not in WAYS:
            continue
        arrivals = len(books.arrivals.get(row.uid, []))
        if row.state in ARRIVED and not arrivals:
            yield f"{where} is {row.state}, but it never arrived."
        if arrivals > row.attempts:
            yield f"{where} arrived {arrivals} times with {row.attempts} attempts."


def _bad_timelines(books: Books) -> Iterator[str]:
    told = Counter(
        event.data["notification_id"]
        for events in books.events.values()
        for event in events
        if event.kind is EventKind.NOTIFICATION_SENT
    )
    sent = {row.id for row in books.notifications if row.state in ARRIVED}
    for notification_id in sent | set(told):
        if told[notification_id] != (notification_id in sent):
            yield f"Notification {notification_id} has {told[notification_id]} lines of sending."
    for alerts in books.alerts.values():
        for alert in alerts:
            wanted = (
                TIMELINE if alert.status == "firing" else TIMELINE - {EventKind.NOTIFICATION_SENT}
            )
            missing = wanted - {event.kind for event in books.events[alert.id]}
            if missing:
                yield f"Alert {alert.id} has no line of {', '.join(sorted(missing))}."


def _too_many_duplicates(books: Books, interrupted: int) -> Iterator[str]:
    most = interrupted * MOST_IN_FLIGHT + books.taken_over
    if books.duplicates > most:
        yield f"{books.duplicates} duplicates are more than {most}."


def waits(books: Books, ledger: Ledger) -> list[float]:
    """Seconds from the first try to send an alert to its page by webhook; sorted."""
    pages = {
        (row.alert_id, row.generation): row.uid
        for row in books.notifications
        if row.kind is NotificationKind.PAGE and row.method == "webhook"
    }
    found = []
    for name, told in ledger.alerts.items():
        for alert in books.alerts.get(name, []) if told.firing else ():
            times = books.arrivals.get(pages.get((alert.id, alert.generation), ""), [])
            found += [min(times) - told.since] if times else []
    return sorted(found)


def table(books: Books, ledger: Ledger) -> list[tuple[str, str]]:
    """The figures, as (what, how much)."""
    states = Counter(str(row.state) for row in books.notifications)
    seconds = waits(books, ledger)
    most = max((row.attempts for row in books.notifications), default=0)
    return [
        ("requests accepted", str(ledger.accepted)),
        ("tries without an answer, or with a 5xx", str(ledger.retries)),
        ("alerts", str(sum(len(alerts) for alerts in books.alerts.values()))),
        *((f"items that were {word}", str(n)) for word, n in sorted(ledger.outcomes.items())),
        *((f"notifications that are {word}", str(n)) for word, n in sorted(states.items())),
        ("most attempts for one notification", str(most)),
        ("deliveries that arrived", str(sum(map(len, books.arrivals.values())))),
        ("duplicates among them", str(books.duplicates)),
        ("deliveries finished after their lease", str(books.taken_over)),
        ("median seconds from alert to page", f"{median(seconds):.2f}" if seconds else "–"),
        ("longest", f"{seconds[-1]:.2f}" if seconds else "–"),
    ]
