"""The intake endpoints for monitoring systems."""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError, OperationalError

from incidentrelay import db
from incidentrelay.domain.errors import InvalidInput, NotAllowed, Unavailable
from incidentrelay.domain.intake.signals import SignalItem
from incidentrelay.domain.permissions import Permission
from incidentrelay.integrations.base import CountsLeftOut
from incidentrelay.models import Route
from incidentrelay.services.access.identity import Identity
from incidentrelay.services.intake import receive as intake_receive
from incidentrelay.services.intake import routing as intake_routing
from incidentrelay.services.intake.provenance import IntakeCredential, IntakeSender
from incidentrelay.services.intake.receive import IntakeRequestBody, ItemVerdict
from incidentrelay.web.api.toolkit import bodies, errors, json
from incidentrelay.web.api.toolkit.view import api_view
from incidentrelay.web.errors import LOCKED
from incidentrelay.web.resources.intake.integrations import Integrations, SourceNode
from incidentrelay.web.schemas.intake.route import IntegrationSchema
from incidentrelay.web.schemas.intake.verdict import VerdictSchema

STUCK_FOR = timedelta(seconds=5)
BRIEFLY = timedelta(milliseconds=300)


class WrongSource(InvalidInput):
    """The token belongs to a route for another source."""

    def __init__(self, source: str, sent_to: str) -> None:
        self.routing_error = f"The token's route accepts {source}, not {sent_to}."
        super().__init__({}, self.routing_error)


@api_view(
    context=SourceNode,
    method="POST",
    permission=Permission.INGEST,
    returns=VerdictSchema,
    many=True,
    errors=(413, 415, 422, 503),
    summary="Send alerts; the response lists each item's outcome, in order",
)
def receive_alerts(context: SourceNode, request: Any) -> Any:
    identity = request.identity
    if identity.kind == "route" and identity.source != context.__name__:
        raise WrongSource(identity.source, context.__name__)
    items, raw = _read_request(context, request)
    try:
        return _store(context, request, items, raw)
    except NotAllowed:
        raise _route_disabled(identity) from None
    except IntegrityError as error:
        # A row that the alert refers to was just deleted. Most senders drop alerts after a
        # 4xx, so this must be a 503.
        raise Unavailable("Something was just changed; send again.") from error


def _read_request(
    context: SourceNode, request: Any
) -> tuple[Sequence[SignalItem], IntakeRequestBody]:
    """The items of the body, and the part of the body to store."""
    settings = request.registry["settings"]
    bodies.require_json(request)
    body = bodies.read(request, settings.intake_max_body)
    payload = json.decode(body, lenient=True)
    items = context.integration.normalise(payload, request.headers)
    if len(items) > settings.intake_max_items:
        raise bodies.too_large(settings.intake_max_items, "items")
    kept = settings.intake_keep_body
    return items, IntakeRequestBody(
        body=body[:kept],
        truncated=len(body) > kept,
        address=(request.client_addr or "")[:64],
        sender=_sender(request.identity),
        left_out=_left_out(context.integration, payload),
    )


def _left_out(integration: Any, payload: Any) -> int:
    return integration.count_left_out(payload) if isinstance(integration, CountsLeftOut) else 0


def _route_disabled(identity: Identity) -> Exception:
    """The response if the route was disabled meanwhile.

    A route's own token is invalid then. A personal token may reach another route.
    """
    if identity.kind == "route":
        error: Exception = errors.unauthorized_error()
        return error
    return Unavailable("A route was just disabled; send again.")


def _sender(identity: Identity) -> IntakeSender:
    route = identity.kind == "route"
    return (
        IntakeSender() if route else IntakeSender(IntakeCredential.PERSONAL, identity.display_name)
    )


def _store(
    context: SourceNode, request: Any, items: Sequence[SignalItem], raw: IntakeRequestBody
) -> list[ItemVerdict]:
    identity = request.identity
    if identity.kind == "route":
        route = _lock_route(request, identity.route_id)
        return intake_receive.receive_request(request.db, route, items, raw, request.now)
    return intake_routing.route_request(
        request.db, identity, str(context.__name__), items, raw, request.now
    )


def _lock_route(request: Any, route_id: int) -> Route:
    """Lock the route; raises Unavailable if it is not free in time.

    A machine that froze may hold it. Once a request has waited in vain, those of the next
    STUCK_FOR wait only for BRIEFLY: otherwise they would use up the threads that the alerts
    of other routes need.
    """
    stuck, clock = db.process_memory(request.db, "stuck routes"), request.registry["clock"]
    now = clock()
    brief = now < stuck.get(route_id, now)
    limit = db.waiting_at_most(request.db, BRIEFLY) if brief else nullcontext()
    try:
        with limit:
            route = intake_receive.lock_route(request.db, route_id)
    except (OperationalError, db.Locked) as error:
        if isinstance(error, db.Locked) or db.is_locked(error):
            stuck[route_id] = clock() + STUCK_FOR
            raise Unavailable(LOCKED) from error
        raise
    stuck.pop(route_id, None)
    return route


@api_view(
    context=Integrations,
    method="GET",
    permission=Permission.VIEW,
    returns=IntegrationSchema,
    many=True,
    summary="List the sources and their intake URLs",
)
def sources(context: Integrations, request: Any) -> list[dict[str, str]]:
    registry = request.registry["integrations"]
    base = f"{request.registry['settings'].public_url}/api/integrations"
    return [
        {"name": name, "label": registry.get(name).info.label, "intake_url": f"{base}/{name}"}
        for name in registry.names()
    ]
