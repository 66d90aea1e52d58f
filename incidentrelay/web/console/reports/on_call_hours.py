"""The on-call report: how long people were on call, and how often they were paged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from incidentrelay.domain.calendar_grid import CalendarView, day_at, step_view
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.local_time import zone_names
from incidentrelay.domain.permissions import Permission
from incidentrelay.domain.reports.on_call_hours import HOUR_KINDS, decimal
from incidentrelay.domain.text import WEEKDAYS
from incidentrelay.services.reports.report_lines import HoursReport, ReportLine
from incidentrelay.web import on_call_hours_table
from incidentrelay.web.console.forms.schema_forms import SchemaForm
from incidentrelay.web.console.reports import choices as report_choices
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.resources.oncall.reports import OnCallReport, OnCallTable
from incidentrelay.web.schemas.oncall.report import OnCallReportQuery

_FIELDS = tuple(field.data_key or name for name, field in OnCallReportQuery().fields.items())
_USUAL = {"night_from": "22:00", "night_to": "06:00", "weekend": "5,6"}
_DAY = timedelta(days=1)


class HoursForm(SchemaForm):
    """The filters of the report. URLs contain only those that differ from the defaults."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(OnCallReportQuery, _FIELDS, values, key="report")

    def value(self, name: str) -> Any:
        value = super().value(name)
        return value.split(",") if name == "weekend" else value

    @property
    def special(self) -> bool:
        """Whether a filter in the collapsed part of the form is in use."""
        rare = ("zone", "group")
        changed = any(self.values[name] != usual for name, usual in _USUAL.items())
        return changed or any(self.values.get(name) or name in self.errors for name in rare)

    def query(self, **changes: str) -> str:
        given = self.values | changes
        return urlencode(
            {name: text for name, text in given.items() if text and text != _USUAL.get(name)}
        )

    def load_given(self) -> dict[str, Any]:
        """Load the filters with the API's schema. Raises InvalidInput."""
        given = [name for name in self.names if self.values[name]]
        return SchemaForm(OnCallReportQuery, given, self.values).load()


@dataclass(frozen=True, slots=True)
class ReportPeriod:
    label: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class HoursRow:
    """A line of a table. Hours are texts; ``hours`` has one for each of HOUR_KINDS."""

    name: str
    place: str
    total: str
    hours: tuple[str, ...]
    pages: int
    night_pages: int


@console_view(
    context=OnCallReport, permission=Permission.VIEW, template="reports/on_call_hours.jinja2"
)
def show(_context: OnCallReport, request: Any) -> dict[str, Any]:
    form, report = _form(request), None
    try:
        report = on_call_hours_table.report(request, form.load_given())
    except InvalidInput as error:
        form.reject(request, error)
    return {
        "form": form,
        "periods": _periods(request, form),
        "download_url": f"{request.path}.csv?{form.query()}",
        "days": [(str(number), name) for number, name in enumerate(WEEKDAYS)],
        "zones": sorted(zone_names()),
        **report_choices.choices(request, form.value),
        **_tables(request, report),
    }


@console_view(context=OnCallTable, permission=Permission.VIEW)
def download(_context: OnCallTable, request: Any) -> Any:
    return on_call_hours_table.download(
        on_call_hours_table.report(request, _form(request).load_given())
    )


def _form(request: Any) -> HoursForm:
    given = {name: request.GET.get(name, "").strip() for name in _FIELDS}
    first, last = _month(_today(request), 0)
    usual = {"from": first, "to": last, **_USUAL}
    values = {name: text or usual.get(name, "") for name, text in given.items()}
    values["country"] = values["country"].upper()
    days = [day for day in request.GET.getall("weekend") if day and day != "none"]
    if "weekend" in request.GET:
        values["weekend"] = ",".join(days) or "none"
    return HoursForm(values)


def _today(request: Any) -> date:
    zone = request.identity.zone
    return day_at(request.now, zone if zone in zone_names() else "UTC")


def _month(today: date, by: int) -> tuple[str, str]:
    """The first and last day of the month ``by`` months from now."""
    return _months(today, by, 1)


def _months(today: date, by: int, count: int) -> tuple[str, str]:
    """The first and last day of ``count`` months."""
    first = end = step_view(CalendarView.MONTH, today, by)
    for _ in range(count):
        end = step_view(CalendarView.MONTH, end, 1)
    return first.isoformat(), (end - _DAY).isoformat()


def _periods(request: Any, form: HoursForm) -> list[ReportPeriod]:
    today, asked = _today(request), (form.values["from"], form.values["to"])
    choices = {
        "This month": _month(today, 0),
        "Last month": _month(today, -1),
        "Last 3 months": _months(today, -3, 3),
        "This year": _months(today, 1 - today.month, 12),
    }
    return [
        ReportPeriod(
            label,
            f"{request.path}?{form.query(**{'from': first, 'to': last})}",
            (first, last) == asked,
        )
        for label, (first, last) in choices.items()
    ]


def _tables(request: Any, report: HoursReport | None) -> dict[str, Any]:
    """The tables by person, by rotation and by both."""
    if report is None:
        return {"report": None}
    return {
        "report": report,
        "planned": report.calculator.end > request.now,
        "zone": report.calculator.rules.zone,
        "total": _row(report.total),
        "people": _rows(report.people),
        "by_rotation": _rows(report.rotations),
        "lines": _rows(report.lines),
    }


def _rows(lines: Sequence[ReportLine]) -> list[HoursRow]:
    return [_row(line) for line in lines]


def _row(line: ReportLine) -> HoursRow:
    rotation = line.rotation.name if line.rotation else "Outside shifts"
    return HoursRow(
        name=line.user.display_name if line.user else "",
        place=f"{line.team.name} · {rotation}" if line.team else "",
        total=decimal(line.hours.total),
        hours=tuple(decimal(getattr(line.hours, kind)) for kind in HOUR_KINDS),
        pages=line.pages,
        night_pages=line.night_pages,
    )
