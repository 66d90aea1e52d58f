"""Receives items from monitoring systems.

One transaction handles whole requests, of several routes if they came at the same moment;
the number of statements does not grow with the number of items. Requests to one route queue
for its row lock, so parallel duplicates see each other; partial unique indexes enforce that.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.orm import Session

from incidentrelay import db
from incidentrelay.domain.enums import AlertStatus, Outcome
from incidentrelay.domain.errors import NotAllowed
from incidentrelay.domain.intake.signals import SignalItem
from incidentrelay.domain.intake.state import ItemResult
from incidentrelay.models import IntakeRequest, Route
from incidentrelay.services.escalation import runner as escalation_runner
from incidentrelay.services.escalation.route_facts import RouteFacts, accepts_route, find_facts
from incidentrelay.services.intake import load as intake_load
from incidentrelay.services.intake import store as intake_store
from incidentrelay.services.intake.joins import notify_joined
from incidentrelay.services.intake.paging import notify, start_plans
from incidentrelay.services.intake.provenance import IntakeSender
from incidentrelay.services.intake.store import RouteBatch

_MOST_OUTCOMES = 100
_IDS: BindParameter[int] = bindparam("ids", expanding=True)
_ROUTES = select(Route.id).where(Route.id.in_(_IDS)).order_by(Route.id)
_LOCKED = _ROUTES.with_for_update(key_share=True)
_LOCKED_IF_FREE = _ROUTES.with_for_update(key_share=True, skip_locked=True)


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
class ReceivedRequest:
    """The items of one request to one (locked) route."""

    facts: RouteFacts
    items: Sequence[SignalItem]
    raw: IntakeRequestBody


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


def lock_route(session: Session, route_id: int, now: datetime) -> RouteFacts:
    """Lock the route; its other requests wait. Raises NotAllowed if it is disabled."""
    facts = lock_facts(session, route_id, now)
    if facts is None or not accepts_route(facts.route):
        raise NotAllowed("This token's route is disabled.")
    return facts


def lock_facts(session: Session, route_id: int, now: datetime) -> RouteFacts | None:
    """Lock the route, disabled or not; None if there is none."""
    session.flush()
    session.connection().execute(_LOCKED, {"ids": [route_id]}).all()
    return find_facts(session, [route_id], now).get(route_id)


def lock_free_routes(
    session: Session, route_ids: Collection[int], now: datetime
) -> Mapping[int, RouteFacts]:
    """Lock those of the routes that nobody else has locked, without waiting."""
    free = session.connection().scalars(_LOCKED_IF_FREE, {"ids": list(route_ids)}).all()
    return find_facts(session, free, now)


def receive_request(
    session: Session,
    facts: RouteFacts,
    items: Sequence[SignalItem],
    raw: IntakeRequestBody,
    now: datetime,
) -> list[ItemVerdict]:
    """Apply the items of one request to one (locked) route, in order."""
    return receive_requests(session, [ReceivedRequest(facts, items, raw)], now)[0]


def receive_requests(
    session: Session, requests: Sequence[ReceivedRequest], now: datetime
) -> list[list[ItemVerdict]]:
    """Apply requests to their (locked) routes, in order; returns the verdicts of each.

    Requests to the same route have the same sender.
    """
    batches = _apply(session, requests, now)
    results = {route_id: iter(each.batch.results) for route_id, each in batches.items()}
    received = [
        (request, batches[route_id], list(islice(results[route_id], len(request.items))))
        for request in requests
        for route_id in (request.facts.route.id,)
    ]
    works = list(batches.values())
    intake_store.number_alerts(session, works)
    for request, each, own in received:
        intake_store.note_left_out(session, each.batch, own, request.raw.left_out)
    _page(session, works, now)
    verdicts = [
        [_verdict(result, each, request.raw.left_out) for result in own]
        for request, each, own in received
    ]
    _keep(session, requests, verdicts, now)
    return verdicts


def _apply(
    session: Session, requests: Sequence[ReceivedRequest], now: datetime
) -> dict[int, RouteBatch]:
    """Apply all items in memory; one batch for each route, by its id."""
    items: dict[int, list[SignalItem]] = {}
    first: dict[int, ReceivedRequest] = {}
    for request in requests:
        first.setdefault(request.facts.route.id, request)
        items.setdefault(request.facts.route.id, []).extend(request.items)
    work = [(request.facts, items[route_id]) for route_id, request in first.items()]
    applied = intake_load.load_and_apply(session, work, now)
    return {
        route_id: RouteBatch(request.facts, request.raw.sender, batch)
        for (route_id, request), batch in zip(first.items(), applied, strict=True)
    }


def apply_held(
    session: Session, facts: RouteFacts, items: Sequence[SignalItem], now: datetime
) -> None:
    """Apply items that a (locked) route held as if they arrived now."""
    (batch,) = intake_load.load_and_apply(session, [(facts, items)], now)
    batches = [RouteBatch(facts, None, batch)]
    intake_store.number_alerts(session, batches)
    _page(session, batches, now)


def _page(session: Session, batches: Sequence[RouteBatch], now: datetime) -> None:
    """Start the plans of what pages, and write everything."""
    for each in batches:
        each.runs = start_plans(session, each.facts, each.batch, now).plays
    intake_store.write_alerts(session, batches)
    intake_store.write_signals(session, batches)
    intake_store.write_events(session, batches, now)
    notify(session, batches, now)
    for each in batches:
        notify_joined(session, each.facts, each.batch, now)
        for alert_id, run in each.runs.items():
            escalation_runner.hint_wake(session, alert_id, run.wake_at)
        for at in {signal.refire_at for signal in each.batch.signals.values() if signal.refire_at}:
            db.hint(session, db.Hint("refires", each.facts.route.id, at))


def _verdict(result: ItemResult, each: RouteBatch, left_out: int) -> ItemVerdict:
    alert, route = result.alert, each.facts.route
    run = each.runs.get(alert.id or 0) if alert else None
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
        assignee=run.assignee if run else None,
        dedup_key=result.dedup_key,
    )


def _keep(
    session: Session,
    requests: Sequence[ReceivedRequest],
    verdicts: Sequence[Sequence[ItemVerdict]],
    now: datetime,
) -> None:
    rows = [
        {
            "route_id": request.facts.route.id,
            "received_at": now,
            "address": request.raw.address,
            "body": request.raw.body,
            "truncated": request.raw.truncated,
            "outcomes": [_outcome(verdict) for verdict in own[:_MOST_OUTCOMES]],
            "left_out": request.raw.left_out,
            "rejected": sum(verdict.outcome is Outcome.REJECTED for verdict in own),
        }
        for request, own in zip(requests, verdicts, strict=True)
    ]
    db.insert_all(session, IntakeRequest, rows)


def _outcome(verdict: ItemVerdict) -> dict[str, Any]:
    return {
        "outcome": verdict.outcome,
        "alert_id": verdict.id,
        "reason": verdict.reason,
        "dedup_key": verdict.dedup_key,
    }
