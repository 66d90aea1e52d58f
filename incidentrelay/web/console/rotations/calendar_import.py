"""Imports a calendar as overrides of a rotation: first a preview, then the import.

The import uses the text that was previewed, even if it came from a URL, whose content could
change.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from incidentrelay.domain.errors import DomainError, InvalidInput
from incidentrelay.domain.permissions import Permission
from incidentrelay.domain.text import clean_text
from incidentrelay.ical.components import LONGEST_TEXT
from incidentrelay.services.calendars import import_overrides
from incidentrelay.services.calendars.import_overrides import ImportReport
from incidentrelay.services.calendars.import_plan import ImportAction
from incidentrelay.web.console.forms.schema_forms import SchemaForm
from incidentrelay.web.console.rotations.overrides import form_zone
from incidentrelay.web.console.toolkit import nav
from incidentrelay.web.console.toolkit.actors import actor
from incidentrelay.web.console.toolkit.flash import flash
from incidentrelay.web.console.toolkit.redirects import see_other
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.oncall.rotations import RotationNode
from incidentrelay.web.schemas.oncall.calendar_import import ImportSchema
from incidentrelay.web.without_transaction import without_transaction

TEMPLATE = "rotations/calendar_import.jinja2"
_FIELDS = ("url", "text", "whole")
_MOST_BYTES = 4 * LONGEST_TEXT
_WORDS = {
    ImportAction.CREATE: "new",
    ImportAction.UPDATE: "changed",
    ImportAction.REMOVE: "removed",
    ImportAction.KEEP: "unchanged",
}


@console_view(
    context=RotationNode, name="import", permission=Permission.OVERRIDE, template=TEMPLATE
)
def ask(context: RotationNode, request: Any) -> dict[str, Any]:
    return _page(context, request, SchemaForm(ImportSchema, _FIELDS))


@console_view(
    context=RotationNode,
    name="import",
    method="POST",
    permission=Permission.OVERRIDE,
    template=TEMPLATE,
)
def run(context: RotationNode, request: Any) -> Any:
    """The first button previews, the second one imports."""
    form, wanted = _posted(request), "apply" in request.POST
    # Reading the calendar ends the transaction and expires the rows that the page needs.
    page, rotation_id = _page(context, request, form), context.obj.id
    try:
        report = _imported(context, request, form, rotation_id, apply=wanted)
    except DomainError as error:
        form.reject(request, error)
        return page
    if not wanted:
        return page | _told(report)
    flash(request, f"Calendar imported: {_counted(report)}.")
    return see_other(request, page["back"])


def _imported(
    context: RotationNode, request: Any, form: SchemaForm, rotation_id: int, *, apply: bool
) -> ImportReport:
    given, now = _given(request, form), request.now
    zone = import_overrides.default_zone(request.db, context.obj, now)
    downloads = request.registry["downloads"]
    text, reading = without_transaction(
        request, lambda: import_overrides.load_import(downloads, **given, zone=zone, now=now)
    )
    form.values |= {"text": text, "url": ""}
    return import_overrides.run_import(
        request.db,
        import_overrides.reload_rotation(request.db, rotation_id),
        reading,
        dry_run=not apply,
        skip_problems="skip_problems" in request.POST,
        whole="whole" in request.POST,
        actor=actor(request),
        now=now,
    )


def _posted(request: Any) -> SchemaForm:
    texts = {name: request.POST.get(name, "") for name in ("url", "text")}
    values = {name: text if isinstance(text, str) else "" for name, text in texts.items()}
    ticked = {"whole": "yes" if "whole" in request.POST else ""}
    return SchemaForm(ImportSchema, _FIELDS, values | ticked | {"file": ""})


def _given(request: Any, form: SchemaForm) -> Mapping[str, str | None]:
    """The calendar's text or its URL; a file is text. Raises InvalidInput."""
    url, text = form.value("url").strip(), clean_text(form.value("text"))
    file = getattr(request.POST.get("file"), "file", None)
    if file is not None:
        try:
            text = clean_text(file.read(_MOST_BYTES).decode("utf-8-sig"))
        except UnicodeDecodeError:
            raise InvalidInput.of("file", "The file is not UTF-8.") from None
        form.values["text"] = text
    if not (url or text.strip()):
        raise InvalidInput.of("url", "Enter a URL, choose a file, or paste a calendar.")
    if url and text.strip():
        raise InvalidInput.of("url", "Give only one: a URL, a file, or text.")
    return {"text": None if url else text, "url": url or None}


def _told(report: ImportReport) -> dict[str, Any]:
    """The effects of an import; unchanged overrides are only counted."""
    changes = [plan for plan in report.planned if plan.action is not ImportAction.KEEP]
    return {
        "report": report,
        "counted": _counted(report),
        "changes": changes,
        "words": _WORDS,
        "other": SchemaForm(ImportSchema, _FIELDS, key="other"),
    }


def _counted(report: ImportReport) -> str:
    counts = Counter(plan.action for plan in report.planned)
    parts = [f"{counts[action]} {word}" for action, word in _WORDS.items() if counts[action]]
    return ", ".join(parts) or "nothing to do"


def _page(context: RotationNode, request: Any, form: SchemaForm) -> dict[str, Any]:
    return {
        "crumbs": nav.list_breadcrumbs(request, context),
        "zone": form_zone(request, context.obj),
        "rotation_name": context.obj.name,
        "form": form,
        "back": console_url(request, context),
        "report": None,
    }
