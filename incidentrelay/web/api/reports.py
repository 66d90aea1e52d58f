"""The on-call report."""

from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.web import duty_tables
from incidentrelay.web.api.view import api_view
from incidentrelay.web.resources.reports import OnCallReport, OnCallTable
from incidentrelay.web.schemas.report import DutyQuery, DutyReportSchema


@api_view(
    context=OnCallReport,
    method="GET",
    permission=Permission.VIEW,
    query=DutyQuery,
    returns=DutyReportSchema,
    errors=(422,),
    summary="Hours on call by kind, and pages, for each person and rotation",
)
def on_call(_context: OnCallReport, request: Any) -> dict[str, Any]:
    made = duty_tables.report(request, request.query)
    return {
        "first": made.ruler.first,
        "last": made.ruler.last,
        "zone": made.ruler.rules.zone,
        "start": made.ruler.start,
        "end": made.ruler.end,
        "holidays": [{"date": day, "name": name} for day, name in made.holidays.items()],
        "lines": made.lines,
        "people": made.people,
        "rotations": made.rotations,
        "total": made.total,
    }


@api_view(
    context=OnCallTable,
    method="GET",
    permission=Permission.VIEW,
    query=DutyQuery,
    media="text/csv",
    errors=(422,),
    summary="The lines of the on-call report as CSV",
)
def on_call_table(_context: OnCallTable, request: Any) -> Any:
    return duty_tables.download(duty_tables.report(request, request.query))
