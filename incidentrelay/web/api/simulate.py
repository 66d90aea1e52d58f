"""Simulation of payloads."""

from collections.abc import Mapping, Sequence
from typing import Any

from incidentrelay.domain.errors import NotAllowed
from incidentrelay.domain.intake.signals import SignalItem
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Route
from incidentrelay.services.simulation import simulate as simulation
from incidentrelay.services.simulation.simulate import Simulation
from incidentrelay.web.api.toolkit import bodies
from incidentrelay.web.api.toolkit.view import api_view
from incidentrelay.web.resources.simulate import Simulate
from incidentrelay.web.schemas.simulate import SimulateSchema, SimulationSchema

# The source that accepts plain labels and a title.
_GENERIC = "webhook"
_DESCRIBED = ("labels", "title", "severity")


@api_view(
    context=Simulate,
    method="POST",
    permission=Permission.RESPOND,
    body=SimulateSchema,
    returns=SimulationSchema,
    errors=(413, 415, 422),
    summary="Simulate a payload on a route: outcome, and who would be paged when",
)
def simulate(context: Simulate, request: Any) -> Simulation:
    data = request.body_data
    # Use a read-only session, although this is a POST.
    with request.registry["database"].read() as session:
        route = simulation.find_route(session, request.identity, data["route"])
        team = context.root.place(route.team)
        if not request.has_permission(Permission.RESPOND, team["alerts"]):
            raise NotAllowed("You may not respond in this route's team.")
        items = _items(request, route, data)
        return simulation.simulate_request(session, route, items, data.get("at", request.now))


def _items(request: Any, route: Route, data: Mapping[str, Any]) -> Sequence[SignalItem]:
    if "payload" in data:
        source, payload = route.source, data["payload"]
    else:
        source, payload = _GENERIC, {name: data[name] for name in _DESCRIBED if name in data}
    return normalised(request, source, payload)


def normalised(request: Any, source: str, payload: Any) -> Sequence[SignalItem]:
    """The items of ``payload``, as ``source`` would send it."""
    integration = request.registry["integrations"].get(source)
    items: Sequence[SignalItem] = integration.normalise(payload, request.headers)
    if len(items) > simulation.MOST_ITEMS:
        raise bodies.too_large(simulation.MOST_ITEMS, "items")
    return items
