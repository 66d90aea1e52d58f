"""Routes are created and edited; the page shows which recent alerts the matchers accept."""

from collections.abc import Mapping, Sequence
from typing import Any

from incidentrelay.domain.errors import DomainError, InvalidInput
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Route, Team
from incidentrelay.services.intake import route_queries, routes
from incidentrelay.services.simulation import recent_payloads
from incidentrelay.services.simulation.recent_payloads import RecentMatches
from incidentrelay.web.console.forms.editor import Editor, form_page
from incidentrelay.web.console.forms.lines import read_lines
from incidentrelay.web.console.forms.schema_forms import SchemaForm
from incidentrelay.web.console.routes import form as route_form
from incidentrelay.web.console.routes import sender, token_page
from incidentrelay.web.console.routes.form import RouteFormSchema
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.base import Item
from incidentrelay.web.resources.intake.routes import RouteNode, TeamRoutes

TEMPLATE = "routes/edit.jinja2"
MATCHING = "routes/_matching.jinja2"


@form_page(TeamRoutes, "new", Permission.CREATE, template=TEMPLATE)
@form_page(RouteNode, "edit", Permission.EDIT, template=TEMPLATE)
class RouteEditor(Editor):
    schema = RouteFormSchema
    names = route_form.OLD
    new_names = route_form.NEW

    @property
    def team(self) -> Team:
        return _team(self.context)

    def usual(self) -> Mapping[str, Any]:
        sources = self.request.registry["integrations"].names()
        return {**route_form.USUAL, "source": sources[0]}

    def first_form(self) -> SchemaForm:
        if self.row is None:
            return super().first_form()
        return route_form.edit_form(self.row, self.zone)

    def load(self) -> dict[str, Any]:
        return route_form.load(self.form)

    def make_preview(self, _data: Mapping[str, Any]) -> bool:
        # The page shows the matches anyway.
        return True

    def translate(self, error: DomainError) -> DomainError:
        return route_form.place_errors(error) if isinstance(error, InvalidInput) else error

    def write(self, data: Mapping[str, Any]) -> Any:
        if self.row is not None:
            return super().write(data)
        more = {**self.call, **self.context.extras()}
        return routes.create(self.request.db, self.team, data, **more)

    def finish(self, written: Any) -> Any:
        """After a creation the response itself shows the token: no later page could."""
        if self.row is not None:
            return super().finish(written)
        route, token = written
        return token_page.show_once(self.context.fresh(route), self.request, token)

    def describe_result(self, written: Route) -> str:
        return f"Route {written.name} saved."

    def values(self) -> Mapping[str, Any]:
        source = self.row.source if self.row else str(self.form.value("source"))
        choices = route_queries.list_choices(self.request.db, self.team)
        return {
            "route": self.row,
            "source": sender.label_of(self.request, source),
            "sources": [
                (name, sender.label_of(self.request, name))
                for name in self.request.registry["integrations"].names()
            ],
            "choices": choices,
            "matching_url": f"{console_url(self.request, self.context)}/matching",
            **_matching(self.context, self.request, source, str(self.form.value("matchers"))),
        }


def _team(context: RouteNode | TeamRoutes) -> Team:
    team: Team = context.obj.team if isinstance(context, Item) else context.team
    return team


def _matching(
    context: RouteNode | TeamRoutes, request: Any, source: str, text: str
) -> dict[str, Any]:
    """Which recent alerts the matchers accept, or what is wrong with them."""
    route = context.obj if isinstance(context, Item) else None
    try:
        found = _match(request, _team(context), source, read_lines(text[:20_000]), route)
    except InvalidInput as error:
        wrong = route_form.place_errors(error).errors
        return {"matches": None, "wrong": " ".join(" ".join(each) for each in wrong.values())}
    return {"matches": found, "wrong": ""}


def _match(
    request: Any, team: Team, source: str, matchers: Sequence[str], route: Route | None
) -> RecentMatches:
    return recent_payloads.match_recent(
        request.db,
        team,
        source,
        matchers,
        integrations=request.registry["integrations"],
        route=route,
    )


@console_view(context=RouteNode, name="matching", permission=Permission.EDIT, template=MATCHING)
def edit_matching(context: RouteNode, request: Any) -> dict[str, Any]:
    return _matching(context, request, context.obj.source, request.GET.get("matchers", ""))


@console_view(context=TeamRoutes, name="matching", permission=Permission.CREATE, template=MATCHING)
def new_matching(context: TeamRoutes, request: Any) -> dict[str, Any]:
    source = request.GET.get("source", "")
    return _matching(context, request, source, request.GET.get("matchers", ""))
