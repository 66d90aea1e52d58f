"""The on-call report, shared by the API and the console."""

from collections.abc import Iterator, Mapping
from datetime import time
from typing import Any

from pyramid.response import Response

from incidentrelay.domain.reports.on_call_hours import HOUR_KINDS, decimal
from incidentrelay.services.reports import on_call_hours
from incidentrelay.services.reports.report_lines import HoursReport, ReportFilter, ReportLine
from incidentrelay.web import csv_export

_WHO = ("from", "to", "zone", "group", "team", "rotation", "username", "name")
_HOURS = (f"{kind}_hours" for kind in HOUR_KINDS)
_HEAD = (*_WHO, *_HOURS, "total_hours", "pages", "night_pages")


def report(request: Any, asked: Mapping[str, Any]) -> HoursReport:
    """Build the report for a loaded :class:`OnCallReportQuery`."""
    values = dict(asked)
    for name in ("night_from", "night_to"):
        if name in values:
            values[name] = time.fromisoformat(values[name])
    if "weekend" in values:
        days = values["weekend"]
        values["weekend"] = frozenset(
            () if days == "none" else (int(day) for day in days.split(","))
        )
    wanted = ReportFilter(own_zone=request.identity.zone, **values)
    return on_call_hours.build_report(request.db, request.identity, wanted)


def download(report: HoursReport) -> Response:
    """The lines of a report as a CSV download."""
    name = f"on-call-{report.calculator.first}-{report.calculator.last}.csv"
    return Response(
        csv_export.table(_HEAD, _rows(report)).encode(),
        content_type="text/csv",
        charset="utf-8",
        content_disposition=f'attachment; filename="{name}"',
    )


def _rows(report: HoursReport) -> Iterator[list[str]]:
    period = [
        str(report.calculator.first),
        str(report.calculator.last),
        report.calculator.rules.zone,
    ]
    for line in report.lines:
        yield [*period, *_names(line), *_numbers(line)]


def _names(line: ReportLine) -> list[str]:
    team, user = line.team, line.user
    return [
        team.group.slug if team else "",
        team.slug if team else "",
        line.rotation.slug if line.rotation else "",
        user.username if user else "",
        user.display_name if user else "",
    ]


def _numbers(line: ReportLine) -> list[str]:
    hours = [decimal(getattr(line.hours, kind)) for kind in (*HOUR_KINDS, "total")]
    return [*hours, str(line.pages), str(line.night_pages)]
