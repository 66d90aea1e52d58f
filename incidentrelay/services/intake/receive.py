"""Receives items from monitoring systems.

One transaction handles the whole request; the number of statements does not grow with
the number of items. Requests to one route queue for its row lock, so parallel
duplicates see each other; partial unique indexes enforce that.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session, joinedload

from incidentrelay import db
from incidentrelay.domain.enums import AlertStatus, Outcome
from incidentrelay.domain.errors import NotAllowed
from incidentrelay.domain.intake.signals import SignalItem
from incidentrelay.domain.intake.state import IntakeBatch, ItemResult
from incidentrelay.models import IntakeRequest, Route, Team
from incidentrelay.services.escalation import runner as escalation_runner
from incidentrelay.services.escalation.plan_run import PlanRun
from incidentrelay.services.intake import load as intake_load
from incidentrelay.services.intake import store as intake_store
from incidentrelay.services.intake.joins import notify_joined
from incidentrelay.services.intake.paging import start_plans, subject_of
from incidentrelay.services.intake.provenance import IntakeSender
from incidentrelay.services.outbox import queue as outbox_queue


@dataclass(frozen=True, slots=True)
class IntakeRequestBody:
    """The raw request, stored for later inspection. ``body`` may be ``truncated``.

    ``left_out`` is the number of alerts that the source reports as left out.
    """

    body: bytes
    truncated: bool
    address: str
    sender: IntakeSender = field(default_factory=IntakeSender)
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class ItemVerdict:
    """The outcome of one item, as reported to the sender."""

    id: int | None
    outcome: Outcome
    status: AlertStatus | None
    created: bool
    reason: str
    routing_error: str | None
    team_id: int | None
    team_slug: str | None
    route_id: int | None
    rotation_id: int | None
    assignee: str | None
    dedup_key: str | None


def routes_with_plans() -> Select[Route]:
    """Routes with everything their plans need loaded."""
    return select(Route).options(
        joinedload(Route.team).joinedload(Team.group),
        joinedload(Route.rotation),
        joinedload(Route.policy),
    )


_LOCKED_ROUTE = (
    routes_with_plans().where(Route.id == bindparam("id")).with_for_update(of=Route, key_share=True)
)


def lock_route(session: Session, route_id: int) -> Route:
    """Lock the route and load what its plan needs; its other requests wait."""
    route = session.scalars(_LOCKED_ROUTE, {"id": route_id}).one_or_none()
    if route is None or not accepts_route(route):
        raise NotAllowed("This token's route is disabled.")
    return route


def accepts_route(route: Route) -> bool:
    """Whether the route, its team and its group are all active."""
    return route.enabled and route.team.active and route.team.group.active


def receive_request(
    session: Session,
    route: Route,
    items: Sequence[SignalItem],
    raw: IntakeRequestBody,
    now: datetime,
) -> list[ItemVerdict]:
    """Apply the items of one request to one (locked) route, in order."""
    batch, plays = apply_items(session, route, items, now, raw.sender, raw.left_out)
    verdicts = [_verdict(result, route, plays, raw.left_out) for result in batch.results]
    _keep(session, route, raw, verdicts, now)
    return verdicts


def apply_items(
    session: Session,
    route: Route,
    items: Sequence[SignalItem],
    now: datetime,
    sender: IntakeSender | None = None,
    left_out: int = 0,
) -> tuple[IntakeBatch, Mapping[int, PlanRun]]:
    """Apply the items to one (locked) route, and page; returns the first plan runs too.

    ``sender`` is None for items that were held: who sent them is on the timeline already.
    """
    batch = intake_load.load_and_apply(session, route, items, now)
    earlier_ids = {alert.id for alert in batch.alerts.values() if alert.id is not None}
    intake_store.insert_alerts(session, route, batch)
    intake_store.note_left_out(session, batch, left_out)
    plays = start_plans(session, route, batch, now).plays
    for alert_id, play in plays.items():
        escalation_runner.hint_wake(session, alert_id, play.wake_at)
    intake_store.write_signals(session, route, batch)
    intake_store.write_alerts(session, batch, plays)
    intake_store.write_events(session, route, sender, batch, plays, now)
    _notify(session, route, batch, plays, earlier_ids, now)
    notify_joined(session, route, batch, now)
    for at in {signal.refire_at for signal in batch.signals.values() if signal.refire_at}:
        db.hint(session, db.Hint("refires", route.id, at))
    return batch, plays


def _notify(
    session: Session,
    route: Route,
    batch: IntakeBatch,
    plays: Mapping[int, PlanRun],
    earlier_ids: Collection[int],
    now: datetime,
) -> None:
    """Cancel stale notifications, announce resolved alerts, and page.

    ``earlier_ids`` are the alerts from before this request; nobody was notified of others.
    """
    before = [alert for alert in batch.alerts.values() if alert.id in earlier_ids]
    stale = [alert.id for alert in before if alert.closed or alert.page]
    outbox_queue.cancel_pending(
        session, [alert_id for alert_id in stale if alert_id is not None], now
    )
    subjects = [subject_of(alert, route) for alert in before if alert.closed]
    updates = {subject.id: (subject, "Resolved by the source") for subject in subjects}
    outbox_queue.notify_update(session, updates, now)
    outbox_queue.write_rows(session, [row for play in plays.values() for row in play.outbox])


def _verdict(
    result: ItemResult, route: Route, plays: Mapping[int, PlanRun], left_out: int
) -> ItemVerdict:
    alert = result.alert
    play = plays.get(alert.id or 0) if alert else None
    return ItemVerdict(
        id=alert.id if alert else None,
        outcome=result.outcome,
        status=alert.status if alert else None,
        created=result.outcome is Outcome.CREATED,
        reason=result.reason or intake_store.word_omission(left_out),
        routing_error=result.routing_error,
        team_id=route.team_id,
        team_slug=route.team.slug,
        route_id=route.id,
        rotation_id=route.rotation_id,
        assignee=play.assignee if play else None,
        dedup_key=result.dedup_key,
    )


def _keep(
    session: Session,
    route: Route,
    raw: IntakeRequestBody,
    verdicts: Sequence[ItemVerdict],
    now: datetime,
) -> None:
    outcomes = [
        {"outcome": v.outcome, "alert_id": v.id, "reason": v.reason, "dedup_key": v.dedup_key}
        for v in verdicts[:100]
    ]
    row = {
        "route_id": route.id,
        "received_at": now,
        "address": raw.address,
        "body": raw.body,
        "truncated": raw.truncated,
        "outcomes": outcomes,
        "left_out": raw.left_out,
        "rejected": sum(v.outcome is Outcome.REJECTED for v in verdicts),
    }
    db.insert_all(session, IntakeRequest, [row])
