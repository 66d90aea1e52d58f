"""Explains the history of an alert, and what a recorded request would do now."""

from typing import Any

from incidentrelay.domain.errors import Conflict
from incidentrelay.domain.permissions import Permission
from incidentrelay.services.simulation import history as alert_history
from incidentrelay.services.simulation import simulate as simulation
from incidentrelay.services.simulation.simulate import Simulation
from incidentrelay.services.simulation.wording import EventReason
from incidentrelay.web.api.simulate import normalised
from incidentrelay.web.api.toolkit import json
from incidentrelay.web.api.toolkit.view import api_view
from incidentrelay.web.resources.alerts.alerts import AlertNode
from incidentrelay.web.resources.intake.routes import IntakeNode
from incidentrelay.web.schemas.alerts.alert import ReasonSchema
from incidentrelay.web.schemas.simulate import SimulationSchema


@api_view(
    context=AlertNode,
    name="explanation",
    method="GET",
    permission=Permission.VIEW,
    returns=ReasonSchema,
    many=True,
    summary="Explain each timeline entry of the alert, in order",
)
def explanation(context: AlertNode, request: Any) -> list[EventReason]:
    return alert_history.explain_events(request.db, context.obj)


@api_view(
    context=IntakeNode,
    name="explain",
    method="POST",
    permission=Permission.RESPOND,
    returns=SimulationSchema,
    errors=(409, 413, 422),
    summary="Simulate this request as if it were received now",
)
def explain_request(context: IntakeNode, request: Any) -> Simulation:
    row = context.obj
    if row.truncated:
        raise Conflict("Only the start of this body was stored, so it cannot be explained.")
    # Use a read-only session, although this is a POST.
    with request.registry["database"].read() as session:
        route = simulation.find_route(session, request.identity, row.route_id)
        items = normalised(request, route.source, json.decode(row.body, lenient=True))
        return simulation.simulate_request(session, route, items, request.now)
