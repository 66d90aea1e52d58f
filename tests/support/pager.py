"""A small working team, for tests from a payload to a message."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.channels.base import SendResult
from incidentrelay.db import Database
from incidentrelay.domain.enums import GroupRole, Severity, SignalStatus
from incidentrelay.domain.intake.signals import IncomingSignal, SignalItem
from incidentrelay.domain.messages import Envelope, Links
from incidentrelay.models import Alert, Event, Notification, RouteChannel, User
from incidentrelay.services.common.secret_box import SecretBox
from incidentrelay.services.delivery import claims
from incidentrelay.services.delivery import results as delivery_results
from incidentrelay.services.delivery.claims import LeaseTerms
from incidentrelay.services.escalation import runner as escalation_runner
from incidentrelay.services.intake import receive as intake_receive
from incidentrelay.services.intake.receive import IntakeRequestBody, ItemVerdict
from incidentrelay.services.outbox import records as outbox_records
from incidentrelay.services.outbox.records import DeliveryClaim, DeliveryResult, PendingMessage
from incidentrelay.services.silences import transitions as silence_transitions
from tests.support import factories

NOW = factories.NOW
MINUTE = timedelta(minutes=1)
VAULT = SecretBox(b"k" * 32)
RAW = IntakeRequestBody(body=b"{}", truncated=False, address="127.0.0.1")
LEASE = timedelta(seconds=60)
LEASE_TERMS = LeaseTerms(lambda _: LEASE)


def a_signal(key: str = "disk", *, resolved: bool = False, **values: Any) -> IncomingSignal:
    status = SignalStatus.RESOLVED if resolved else SignalStatus.FIRING
    defaults: dict[str, Any] = {
        "severity": Severity.CRITICAL,
        "title": f"{key} is full",
        "labels": {"alertname": key},
    }
    return IncomingSignal(dedup_key=key, status=status, **{**defaults, **values})


@dataclass
class Pager:
    """Ann (on call), bob and cy in one weekly rotation; one route; one inbox channel."""

    database: Database
    route_id: int
    team_id: int
    rotation_id: int
    people: dict[str, int]

    def take(self, *items: SignalItem, at: datetime = NOW) -> list[ItemVerdict]:
        with self.database.write() as session:
            route = intake_receive.lock_route(session, self.route_id, at)
            return intake_receive.receive_request(session, route, items, RAW, at)

    def run_due(self, at: datetime) -> int:
        with self.database.write() as session:
            return escalation_runner.run_due_plans(session, at)

    def change_silences(self, at: datetime) -> int:
        """Apply the due changes of the team's silences."""
        with self.database.write() as session:
            return silence_transitions.apply_transitions(session, self.team_id, at)

    def alert(self, session: Session, alert_id: int | None = None) -> Alert:
        query = select(Alert).order_by(Alert.id.desc()).limit(1)
        if alert_id is not None:
            query = select(Alert).where(Alert.id == alert_id)
        return session.scalars(query).one()

    def change(self, **columns: Any) -> None:
        """Set columns of the team."""
        from incidentrelay.models import Team

        with self.database.write() as session:
            team = session.get_one(Team, self.team_id)
            for name, value in columns.items():
                setattr(team, name, value)

    def outbox(self) -> list[tuple[str, str, str]]:
        """(kind, target's owner, state) of every notification, in order of creation."""
        names = {user_id: name for name, user_id in self.people.items()}
        with self.database.read() as session:
            rows = session.scalars(select(Notification).order_by(Notification.id))
            return [
                (str(row.kind), names.get(row.user_id or 0, row.target), str(row.state))
                for row in rows
                if row.method != "email"
            ]

    def timeline(self) -> list[str]:
        with self.database.read() as session:
            return [str(kind) for kind in session.scalars(select(Event.kind).order_by(Event.id))]

    def claim(self, notification_id: int, at: datetime = NOW) -> DeliveryClaim | None:
        with self.database.write() as session:
            return claims.claim_notification(session, notification_id, VAULT, at, lease=LEASE_TERMS)

    def record(self, taken: DeliveryClaim, result: DeliveryResult, at: datetime = NOW) -> bool:
        with self.database.write() as session:
            return delivery_results.record_result(
                session,
                taken,
                result,
                started_at=at,
                now=at,
                most_attempts=3,
                jitter=0.5,
            )

    def due(self, at: datetime = NOW) -> Sequence[int]:
        with self.database.read() as session:
            return outbox_records.due_notification_ids(session, at, limit=1000)


def build(database: Database) -> Pager:
    with database.write() as session:
        group = factories.group(session, "ops")
        team = factories.team(session, group, "core")
        people: dict[str, User] = {}
        for name in ("ann", "bob", "cy", "fay"):
            people[name] = factories.user(session, name)
            factories.group_member(session, group, people[name], GroupRole.RESPONDER)
        turns = (people["ann"], people["bob"], people["cy"])
        rotation = factories.rotation(session, team, members=turns, reminder_interval=60)
        channel = factories.channel(session, team)
        route = factories.route(session, team, rotation_id=rotation.id)
        session.add(RouteChannel(route_id=route.id, channel_id=channel.id))
        return Pager(
            database=database,
            route_id=route.id,
            team_id=team.id,
            rotation_id=rotation.id,
            people={name: user.id for name, user in people.items()},
        )


class Accepts:
    """A channel that accepts everything and remembers it."""

    info: Any = None

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    def send(self, envelope: Envelope, config: Any) -> SendResult:
        self.envelopes.append(envelope)
        return SendResult(handle={"id": envelope.idempotency_key})


def no_links(messages: Sequence[PendingMessage], _user_id: int | None, _now: datetime) -> Links:
    path = f"/{messages[0].alert_id}" if len(messages) == 1 else ""
    return Links(console=f"http://localhost/alerts{path}")
