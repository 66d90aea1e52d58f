"""Import of a calendar into a rotation, as overrides."""

from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.services.calendars import import_overrides
from incidentrelay.services.calendars.import_overrides import ImportReport
from incidentrelay.web.api.toolkit import crud
from incidentrelay.web.api.toolkit.view import api_view
from incidentrelay.web.resources.oncall.rotations import RotationNode
from incidentrelay.web.schemas.oncall.calendar_import import ImportReportSchema, ImportSchema
from incidentrelay.web.without_transaction import without_transaction


@api_view(
    context=RotationNode,
    name="import",
    method="POST",
    permission=Permission.OVERRIDE,
    body=ImportSchema,
    returns=ImportReportSchema,
    errors=(409, 413, 415, 422),
    summary="Import overrides from a calendar, or preview the import",
)
def import_calendar(context: RotationNode, request: Any) -> ImportReport:
    data, now, rotation_id = dict(request.body_data), request.now, context.obj.id
    source = {"text": data.pop("text"), "url": data.pop("url")}
    zone = import_overrides.default_zone(request.db, context.obj, now)
    downloads = request.registry["downloads"]
    reading = without_transaction(
        request, lambda: import_overrides.read_calendar(downloads, **source, zone=zone, now=now)
    )
    rotation = import_overrides.reload_rotation(request.db, rotation_id)
    who = crud.actor(request)
    return import_overrides.run_import(request.db, rotation, reading, **data, actor=who, now=now)
