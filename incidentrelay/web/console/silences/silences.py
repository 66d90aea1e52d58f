"""Silences in the console: list, page, form with a preview, ending and deleting."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from incidentrelay.domain.errors import DomainError, InvalidInput
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Alert
from incidentrelay.services.silences import preview as silence_preview
from incidentrelay.services.silences import proposals, silence_queries, silences
from incidentrelay.services.silences.preview import SilencePreview
from incidentrelay.web.console.components import silence_card
from incidentrelay.web.console.forms import forms
from incidentrelay.web.console.forms.schema_forms import SchemaForm
from incidentrelay.web.console.silences import form as silence_form
from incidentrelay.web.console.toolkit import nav, team_choice
from incidentrelay.web.console.toolkit.actors import actor
from incidentrelay.web.console.toolkit.errors import sentence
from incidentrelay.web.console.toolkit.flash import flash
from incidentrelay.web.console.toolkit.redirects import see_other, to_node
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.silences import (
    SilenceCollection,
    SilenceNode,
    Silences,
    TeamSilences,
)

FORM = "silences/edit.jinja2"


@console_view(
    context=SilenceCollection, permission=Permission.VIEW, template="silences/index.jinja2"
)
def index(context: SilenceCollection, request: Any) -> dict[str, Any]:
    team = context.team if isinstance(context, TeamSilences) else None
    over = request.GET.get("state") == silence_card.OVER
    found = silence_queries.list_silences(
        request.db,
        request.identity,
        over=over,
        now=request.now,
        team_id=team.id if team else None,
        before=forms.before(request.GET),
    )
    kept = {"state": silence_card.OVER} if over else {}
    older = urlencode({**kept, "before": found.older})
    return {
        "crumbs": nav.list_breadcrumbs_above(request, context) if team else [],
        "team_name": team.name if team else None,
        "over": over,
        "rows": [silence_card.row(context, request, silence) for silence in found.silences],
        "new_url": _new_url(context, request),
        "next_url": f"{request.path}?{older}" if found.older else None,
    }


def _new_url(context: SilenceCollection, request: Any) -> str | None:
    if isinstance(context, TeamSilences):
        may = request.has_permission(Permission.CREATE, context)
        return f"{console_url(request, context)}/new" if may else None
    may = bool(team_choice.teams(context, request, "silences"))
    return f"{console_url(request, context)}/new" if may else None


@console_view(
    context=Silences, name="new", permission=Permission.VIEW, template=team_choice.TEMPLATE
)
def choose(context: Silences, request: Any) -> Any:
    """A silence is of one team: which one?"""
    missing = "You cannot create silences in any team. Ask a team manager."
    return team_choice.page(context, request, "silences", title="New silence", missing=missing)


@console_view(context=SilenceNode, permission=Permission.VIEW, template="silences/silence.jinja2")
def show(context: SilenceNode, request: Any) -> dict[str, Any]:
    silence = context.obj
    found: SilencePreview | None = None
    if silence.ends_at > request.now:
        found = silence_preview.preview_of(request.db, silence, now=request.now)
    return {
        "crumbs": nav.list_breadcrumbs_above(request, context),
        "silence": silence_card.row(context, request, silence),
        "preview": found,
        "alerts_url": f"{request.script_name}/alerts",
    }


@console_view(context=TeamSilences, name="new", permission=Permission.CREATE, template=FORM)
def new(context: TeamSilences, request: Any) -> dict[str, Any]:
    alert = _alert(context, request)
    proposed = proposals.propose_silence(request.db, alert) if alert is not None else None
    form = silence_form.blank(request.identity.zone, proposed)
    return _page(context, request, form, notes=proposed.notes if proposed is not None else ())


def _alert(context: TeamSilences, request: Any) -> Alert | None:
    """The team's alert that ``?alert=`` names."""
    try:
        alerts = context.root.place(context.team)["alerts"]
        alert: Alert = alerts[request.GET.get("alert", "")].obj
    except KeyError:
        return None
    return alert


@console_view(
    context=TeamSilences, name="new", method="POST", permission=Permission.CREATE, template=FORM
)
def create(context: TeamSilences, request: Any) -> Any:
    form = silence_form.posted(request)
    try:
        data = silence_form.data(form, request.now)
        if "preview" in request.POST:
            return _previewed(context, request, form)
        row = silences.create(request.db, context.team, data, actor=actor(request), now=request.now)
    except DomainError as error:
        return _refused(context, request, form, error)
    flash(request, "Silence created.")
    return to_node(request, context.fresh(row))


@console_view(context=SilenceNode, name="edit", permission=Permission.EDIT, template=FORM)
def edit(context: SilenceNode, request: Any) -> dict[str, Any]:
    return _page(context, request, silence_form.of(context.obj, request.identity.zone))


@console_view(
    context=SilenceNode, name="edit", method="POST", permission=Permission.EDIT, template=FORM
)
def save(context: SilenceNode, request: Any) -> Any:
    row, form = context.obj, silence_form.posted(request)
    try:
        if "preview" in request.POST:
            return _previewed(context, request, form)
        form.check_version(row)
        data = silence_form.data(form, request.now, row)
        silences.update(request.db, row, data, actor=actor(request), now=request.now)
    except DomainError as error:
        return _refused(context, request, form, error)
    flash(request, "Silence saved.")
    return to_node(request, context)


@console_view(context=SilenceNode, name="end", method="POST", permission=Permission.EDIT)
def end(context: SilenceNode, request: Any) -> Any:
    try:
        silences.end_silence(request.db, context.obj, actor=actor(request), now=request.now)
        flash(request, "Silence ended. Alerts that still fire page now.")
    except DomainError as error:
        request.tm.doom()
        flash(request, sentence(error), "error")
    return to_node(request, context)


@console_view(
    context=SilenceNode, name="delete", permission=Permission.DELETE, template="confirm.jinja2"
)
def ask(context: SilenceNode, request: Any) -> dict[str, Any]:
    return {
        "crumbs": nav.list_breadcrumbs(request, context),
        "title": "Delete this silence?",
        "consequences": [
            f"It covers: {', '.join(context.obj.matchers) or 'every alert of the team'}.",
            "Alerts that it covers and that still fire page at once.",
        ],
        "button": "Delete",
        "back": console_url(request, context),
    }


@console_view(context=SilenceNode, name="delete", method="POST", permission=Permission.DELETE)
def delete(context: SilenceNode, request: Any) -> Any:
    silences.delete(request.db, context.obj, actor=actor(request), now=request.now)
    flash(request, "Silence deleted.")
    return see_other(request, f"{request.script_name}/silences")


def _previewed(
    context: TeamSilences | SilenceNode, request: Any, form: SchemaForm
) -> dict[str, Any]:
    """The form again, with what the silence would cover; raises InvalidInput."""
    data = silence_form.data(form, request.now)
    row = context.obj if isinstance(context, SilenceNode) else None
    team = row.team if row else context.team  # type: ignore[union-attr]
    now = request.now
    found = silence_preview.preview_silence(request.db, team, data, now=now, replaces=row)
    return _page(context, request, form, found)


def _refused(
    context: TeamSilences | SilenceNode, request: Any, form: SchemaForm, error: DomainError
) -> dict[str, Any]:
    if isinstance(error, InvalidInput):
        error = silence_form.translated(error, form)
    form.refuse(request, error, context.obj if isinstance(context, SilenceNode) else None)
    return _page(context, request, form)


def _page(
    context: TeamSilences | SilenceNode,
    request: Any,
    form: SchemaForm,
    preview: SilencePreview | None = None,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    row = context.obj if isinstance(context, SilenceNode) else None
    return {
        "crumbs": nav.list_breadcrumbs(request, context),
        "team_name": row.team.name if row else context.team.name,  # type: ignore[union-attr]
        "title": "Edit silence" if row else "New silence",
        "form": form,
        "lasts": silence_form.LASTS,
        "repeats": silence_form.REPEATS,
        "preview": preview,
        "notes": notes,
        "alerts_url": f"{request.script_name}/alerts",
        "back": console_url(request, context),
    }
