"""Silences in the console: list, page, form with a preview, ending and deleting."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from incidentrelay.domain.errors import DomainError, InvalidInput
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Alert, Team
from incidentrelay.services.silences import preview as silence_preview
from incidentrelay.services.silences import proposals, silence_queries, silences
from incidentrelay.services.silences.preview import SilencePreview
from incidentrelay.services.silences.proposals import SilenceProposal
from incidentrelay.services.silences.silence_queries import SilencePage
from incidentrelay.web.console.components import silence_card
from incidentrelay.web.console.forms import forms
from incidentrelay.web.console.forms.editor import Editor, form_page
from incidentrelay.web.console.forms.schema_forms import SchemaForm
from incidentrelay.web.console.silences import form as silence_form
from incidentrelay.web.console.silences.form import SilenceFormSchema
from incidentrelay.web.console.toolkit import nav, team_choice
from incidentrelay.web.console.toolkit.actions import action_view
from incidentrelay.web.console.toolkit.actors import actor
from incidentrelay.web.console.toolkit.confirm_delete import DeleteQuestion, confirm_delete
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
    found = _list(request, team, over)
    return {
        "crumbs": nav.list_breadcrumbs_above(request, context) if team else [],
        "team_name": team.name if team else None,
        "over": over,
        "rows": [silence_card.view_silence(context, request, row) for row in found.silences],
        "new_url": _new_url(context, request),
        "next_url": _older(request, found.older, over),
    }


def _list(request: Any, team: Team | None, over: bool) -> SilencePage:
    return silence_queries.list_silences(
        request.db,
        request.identity,
        over=over,
        now=request.now,
        team_id=team.id if team else None,
        before=forms.before(request.GET),
    )


def _older(request: Any, older: int | None, over: bool) -> str | None:
    kept = {"state": silence_card.OVER} if over else {}
    return f"{request.path}?{urlencode({**kept, 'before': older})}" if older else None


def _new_url(context: SilenceCollection, request: Any) -> str | None:
    if isinstance(context, TeamSilences):
        may = request.has_permission(Permission.CREATE, context)
        return f"{console_url(request, context)}/new" if may else None
    may = bool(team_choice.teams(context, request, "silences"))
    return f"{console_url(request, context)}/new" if may else None


choose_team = team_choice.ask_team(Silences, "silences", "silence")


@console_view(context=SilenceNode, permission=Permission.VIEW, template="silences/silence.jinja2")
def show(context: SilenceNode, request: Any) -> dict[str, Any]:
    silence = context.obj
    found: SilencePreview | None = None
    if silence.ends_at > request.now:
        found = silence_preview.preview_of(request.db, silence, now=request.now)
    return {
        "crumbs": nav.list_breadcrumbs_above(request, context),
        "silence": silence_card.view_silence(context, request, silence),
        "preview": found,
        "alerts_url": f"{request.script_name}/alerts",
    }


@form_page(TeamSilences, "new", Permission.CREATE, template=FORM)
@form_page(SilenceNode, "edit", Permission.EDIT, template=FORM)
class SilenceEditor(Editor):
    schema = SilenceFormSchema
    names = new_names = silence_form.NAMES

    @property
    def team(self) -> Team:
        team: Team = self.row.team if self.row else self.context.team
        return team

    @cached_property
    def proposal(self) -> SilenceProposal | None:
        """The proposal for a silence that starts from an alert."""
        alert = None if self.row else _alert(self.context, self.request)
        return proposals.propose_silence(self.request.db, alert) if alert is not None else None

    def usual(self) -> Mapping[str, Any]:
        return silence_form.usual_values(self.zone, self.proposal)

    def first_form(self) -> SchemaForm:
        if self.row is None:
            return super().first_form()
        return silence_form.edit_form(self.row, self.zone)

    def load(self) -> dict[str, Any]:
        return silence_form.load(self.form, self.request.now, self.row)

    def make_preview(self, _data: Mapping[str, Any]) -> SilencePreview:
        now = self.request.now
        # The preview needs all fields, also those that an edit leaves unchanged.
        data = silence_form.load(self.form, now)
        return silence_preview.preview_silence(
            self.request.db, self.team, data, now=now, replaces=self.row
        )

    def translate(self, error: DomainError) -> DomainError:
        if isinstance(error, InvalidInput):
            return silence_form.place_errors(error, self.form)
        return error

    def describe_result(self, _row: Any) -> str:
        return "Silence saved." if self.row else "Silence created."

    def values(self) -> Mapping[str, Any]:
        return {
            "team_name": self.team.name,
            "title": "Edit silence" if self.row else "New silence",
            "lasts": silence_form.LASTS,
            "repeats": silence_form.REPEATS,
            "alerts_url": f"{self.request.script_name}/alerts",
            "notes": self.proposal.notes if self.proposal else (),
        }


def _alert(context: TeamSilences, request: Any) -> Alert | None:
    """The team's alert that ``?alert=`` names."""
    try:
        alerts = context.root.place(context.team)["alerts"]
        alert: Alert = alerts[request.GET.get("alert", "")].obj
    except KeyError:
        return None
    return alert


@action_view(SilenceNode, "end", Permission.EDIT)
def end(context: SilenceNode, request: Any) -> str:
    silences.end_silence(request.db, context.obj, actor=actor(request), now=request.now)
    return "Silence ended. Alerts that still fire page now."


@confirm_delete(SilenceNode)
def ask_delete(context: SilenceNode, _request: Any) -> DeleteQuestion:
    matchers = ", ".join(context.obj.matchers) or "every alert of the team"
    return DeleteQuestion(
        page=context,
        title="Delete this silence?",
        consequences=(
            f"It covers: {matchers}.",
            "Alerts that it covers and that still fire page at once.",
        ),
        button="Delete",
        done="Silence deleted.",
        path="silences",
    )
