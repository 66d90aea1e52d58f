"""The on-call report."""

from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.web import on_call_hours_table
from incidentrelay.web.api.toolkit.view import api_view
from incidentrelay.web.resources.oncall.reports import OnCallReport, OnCallTable
from incidentrelay.web.schemas.oncall.report import DutyQuery, DutyReportSchema


@api_view(
    context=OnCallReport,
    method="GET",
    permission=Permission.VIEW,
    query=DutyQuery,
    returns=DutyReportSchema,
    errors=(422,),
    summary="Report hours on call by kind, and pages, per person and rotation",
)
def on_call(_context: OnCallReport, request: Any) -> dict[str, Any]:
    made = on_call_hours_table.report(request, request.query)
    return {
        "first": made.calculator.first,
        "last": made.calculator.last,
        "zone": made.calculator.rules.zone,
        "start": made.calculator.start,
        "end": made.calculator.end,
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
    summary="Export the on-call report as CSV",
)
def on_call_table(_context: OnCallTable, request: Any) -> Any:
    return on_call_hours_table.download(on_call_hours_table.report(request, request.query))
