"""Bulk actions on alerts."""

from collections.abc import Mapping
from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.services.access import user_lookup
from incidentrelay.services.alerts import bulk
from incidentrelay.services.alerts import search as alert_search
from incidentrelay.services.alerts.bulk import BulkOrder
from incidentrelay.web.api.toolkit.crud import actor
from incidentrelay.web.api.toolkit.view import api_view
from incidentrelay.web.resources.alerts.alerts import Alerts
from incidentrelay.web.schemas.alerts.alert import BulkAnswerSchema, BulkSchema


@api_view(
    context=Alerts,
    name="bulk",
    method="POST",
    permission=Permission.RESPOND,
    body=BulkSchema,
    returns=BulkAnswerSchema,
    errors=(413, 415, 422),
    summary="Run one action on many alerts; each has its own outcome",
)
def act(context: Alerts, request: Any) -> Mapping[str, Any]:
    data, more = request.body_data, False
    ids = data.get("ids", ())
    if "filter" in data:
        wanted = alert_search.parse_filter(data["filter"])
        ids, more = bulk.find_alerts(request.db, request.identity, wanted)
    if not ids:
        return {"results": [], "more": False}
    order = _order(request, data)
    results = bulk.perform_bulk(
        request.db, order, ids, request.identity, actor=actor(request), now=request.now
    )
    return {"results": results, "more": more}


def _order(request: Any, data: Mapping[str, Any]) -> BulkOrder:
    username = data.get("username")
    user = (
        user_lookup.find_colleague(request.db, request.identity, username)
        if username is not None
        else None
    )
    return BulkOrder(data["action"], data.get("until"), user, data.get("text", ""))
