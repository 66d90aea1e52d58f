"""The intake endpoints for monitoring systems."""

from collections.abc import Sequence
from typing import Any

from pyramid.httpexceptions import HTTPException
from sqlalchemy.exc import IntegrityError

from incidentrelay.domain.errors import DomainError, InvalidInput, NotAllowed, Unavailable
from incidentrelay.domain.intake.signals import SignalItem
from incidentrelay.domain.permissions import Permission
from incidentrelay.integrations.base import CountsLeftOut
from incidentrelay.services.access.identity import Identity
from incidentrelay.services.intake import routing as intake_routing
from incidentrelay.services.intake.provenance import IntakeCredential, IntakeSender
from incidentrelay.services.intake.receive import IntakeRequestBody, ItemVerdict
from incidentrelay.web.api.intake.transactions import IntakeTransactions, RouteRequest
from incidentrelay.web.api.toolkit import bodies, errors, json
from incidentrelay.web.api.toolkit.view import api_view
from incidentrelay.web.resources.intake.integrations import Integrations, SourceNode
from incidentrelay.web.schemas.intake.route import IntegrationSchema
from incidentrelay.web.schemas.intake.verdict import VerdictSchema
from incidentrelay.web.security import route_tokens


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
    dumped=True,
    errors=(413, 415, 422, 503),
    summary="Send alerts; the response lists each item's outcome, in order",
)
def receive_alerts(context: SourceNode, request: Any) -> Any:
    items, raw = _read_request(context, request)
    try:
        return _store(context, request, items, raw)
    except NotAllowed:
        raise _route_disabled(request) from None
    except IntegrityError as error:
        # A row that the alert refers to was just deleted. Most senders drop alerts after a
        # 4xx, so this must be a 503.
        raise Unavailable("Something was just changed; send again.") from error


def _read_request(
    context: SourceNode, request: Any
) -> tuple[Sequence[SignalItem], IntakeRequestBody]:
    """The items of the body, and the part of the body to store."""
    try:
        return _read_items(context, request)
    except (DomainError, HTTPException):
        # An answer about the body is only for those with a valid token.
        if not route_tokens.confirm(request):
            raise errors.unauthorized_error() from None
        raise


def _read_items(
    context: SourceNode, request: Any
) -> tuple[Sequence[SignalItem], IntakeRequestBody]:
    identity = request.identity
    if identity.kind == "route" and identity.source != context.__name__:
        raise WrongSource(identity.source, context.__name__)
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
        sender=_sender(identity),
        left_out=_left_out(context.integration, payload),
    )


def _left_out(integration: Any, payload: Any) -> int:
    return integration.count_left_out(payload) if isinstance(integration, CountsLeftOut) else 0


def _route_disabled(request: Any) -> Exception:
    """The response if the route was disabled meanwhile.

    A route's own token is invalid then. A personal token may reach another route.
    """
    if request.identity.kind == "route":
        route_tokens.forget(request)
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
) -> Sequence[ItemVerdict]:
    identity = request.identity
    if identity.kind == "route":
        token = RouteRequest(identity.route_id, identity.token_digest, items, raw)
        verdicts: Sequence[ItemVerdict] = request.registry["intake"].receive(token)
        return verdicts
    return intake_routing.route_request(
        request.db, identity, str(context.__name__), items, raw, request.now
    )


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


def includeme(config: Any) -> None:
    config.registry["intake"] = IntakeTransactions(config.registry)
