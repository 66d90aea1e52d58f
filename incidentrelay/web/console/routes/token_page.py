"""The token of a route: shown once, and replaced; and the test alert."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from marshmallow import fields, validate

from incidentrelay.domain.enums import Outcome
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.permissions import Permission
from incidentrelay.services.intake import route_tests, routes
from incidentrelay.services.intake.receive import ItemVerdict
from incidentrelay.web.console.forms.editor import FormPage, form_page
from incidentrelay.web.console.forms.lines import read_lines
from incidentrelay.web.console.routes import sender, wording
from incidentrelay.web.console.toolkit import nav
from incidentrelay.web.console.toolkit.flash import flash
from incidentrelay.web.console.toolkit.redirects import see_other
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.base import Item
from incidentrelay.web.resources.intake.routes import RouteNode
from incidentrelay.web.schemas.base import Body
from incidentrelay.web.schemas.intake.route import RouteTestSchema

KEEP_OLD = (
    ("24", "For one more day"),
    ("1", "For one more hour"),
    ("168", "For one more week"),
    ("0", "Not any longer: it has leaked"),
)


def show_once(node: Item, request: Any, token: str) -> dict[str, Any]:
    """The page with a new token, as the response itself: it is stored nowhere."""
    assert isinstance(node, RouteNode)
    request.override_renderer = "incidentrelay:templates/routes/token.jinja2"
    may_test = request.has_permission(Permission.TEST, node)
    url = console_url(request, node)
    return {
        "crumbs": nav.list_breadcrumbs(request, node),
        "route": node.obj,
        "token": token,
        "sender": sender.describe(node, request, token),
        "url": url,
        "test_url": f"{url}/test" if may_test else None,
    }


class TokenReplacementSchema(Body):
    """``keep_old`` is the number of hours for which the old token works."""

    keep_old = fields.String(
        validate=validate.OneOf(dict(KEEP_OLD), error="Choose how long the old token works.")
    )


@form_page(RouteNode, "token", Permission.EDIT, template="routes/replace_token.jinja2")
class TokenReplacement(FormPage):
    schema = TokenReplacementSchema
    names = ("keep_old",)

    def usual(self) -> Mapping[str, Any]:
        return {"keep_old": "24"}

    def write(self, data: Mapping[str, Any]) -> str:
        kept = timedelta(hours=int(data["keep_old"]))
        return routes.rotate_token(self.request.db, self.context.obj, keep_old=kept, **self.call)

    def finish(self, written: str) -> Any:
        node = self.context.__parent__.fresh(self.context.obj)
        return show_once(node, self.request, written)

    def values(self) -> Mapping[str, Any]:
        return {"route": self.context.obj, "lasts": KEEP_OLD}


@form_page(RouteNode, "test", Permission.TEST, template="routes/test.jinja2")
class RouteTest(FormPage):
    """A test alert, which really pages; so a page asks first."""

    schema = RouteTestSchema
    names = ()

    def first_form(self) -> Any:
        form = super().first_form()
        labels = route_tests.fitting_labels(self.context.obj)
        form.values["labels"] = "\n".join(f"{name}={value}" for name, value in labels.items())
        return form

    def load(self) -> dict[str, Any]:
        self.form.values["labels"] = text = str(self.request.POST.get("labels", ""))
        return self.form.load(labels=_labels(text))

    def write(self, data: Mapping[str, Any]) -> ItemVerdict:
        verdict = route_tests.send_route_test(
            self.request.db, self.context.obj, data["labels"], **self.call
        )
        if verdict.outcome is Outcome.REJECTED:
            raise InvalidInput.of("labels", verdict.routing_error or verdict.reason)
        return verdict

    def finish(self, written: ItemVerdict) -> Any:
        flash(self.request, "Test alert sent. Acknowledge it when it has reached you.")
        return see_other(self.request, f"{self.request.script_name}/alerts/{written.id}")

    def values(self) -> Mapping[str, Any]:
        route = self.context.obj
        return {
            "route": route,
            "pages": wording.pages_whom(route),
            "channels": [] if route.policy else [channel.name for channel in route.channels],
        }


def _labels(text: str) -> dict[str, str]:
    """Lines like ``team=infra``; raises InvalidInput."""
    labels: dict[str, str] = {}
    for number, line in enumerate(read_lines(text), 1):
        name, equals, value = line.partition("=")
        if not (equals and name.strip()):
            raise InvalidInput.of("labels", f"Line {number}: write a label like team=infra.")
        labels[name.strip()] = value.strip().strip('"')
    return labels
