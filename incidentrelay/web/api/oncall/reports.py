"""The on-call report."""

from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.web import on_call_hours_table
from incidentrelay.web.api.toolkit.view import api_view
from incidentrelay.web.resources.oncall.reports import OnCallReport, OnCallTable
from incidentrelay.web.schemas.oncall.report import OnCallReportQuery, OnCallReportSchema


@api_view(
    context=OnCallReport,
    method="GET",
    permission=Permission.VIEW,
    query=OnCallReportQuery,
    returns=OnCallReportSchema,
    errors=(422,),
    summary="Report on-call hours by kind, and pages, per person and rotation",
)
def on_call(_context: OnCallReport, request: Any) -> dict[str, Any]:
    report = on_call_hours_table.report(request, request.query)
    return {
        "first": report.calculator.first,
        "last": report.calculator.last,
        "zone": report.calculator.rules.zone,
        "start": report.calculator.start,
        "end": report.calculator.end,
        "holidays": [{"date": day, "name": name} for day, name in report.holidays.items()],
        "lines": report.lines,
        "people": report.people,
        "rotations": report.rotations,
        "total": report.total,
    }


@api_view(
    context=OnCallTable,
    method="GET",
    permission=Permission.VIEW,
    query=OnCallReportQuery,
    media="text/csv",
    errors=(422,),
    summary="Export the on-call report as CSV",
)
def on_call_table(_context: OnCallTable, request: Any) -> Any:
    return on_call_hours_table.download(on_call_hours_table.report(request, request.query))
