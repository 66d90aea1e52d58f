"""The settings page, and the frame of its forms."""

import functools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from marshmallow import fields

from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.domain.permissions import Permission, Scope
from incidentrelay.services.people import profile_queries
from incidentrelay.web.console.forms.schema_forms import SchemaForm
from incidentrelay.web.console.profile import contact_parts, feed_parts
from incidentrelay.web.console.toolkit.flash import flash
from incidentrelay.web.console.toolkit.redirects import see_other
from incidentrelay.web.console.toolkit.view import View, attach_views, console_view
from incidentrelay.web.resources.base import Node
from incidentrelay.web.resources.people.me import Me
from incidentrelay.web.schemas.people.me import MeSchema, PasswordSchema, TokenSchema

TEMPLATE = "profile/me.jinja2"
LIVES = (("30", "30 days"), ("90", "90 days"), ("365", "1 year"), ("", "Unlimited"))
_PROFILE = (
    "display_name",
    "email",
    "phone",
    "zone",
    "shift_start_reminder",
    "shift_end_reminder",
)
_TOKEN = ("name", "scopes", "days")


class TokenFormSchema(TokenSchema):
    """``days`` is how long it lives; "" is unlimited."""

    days = fields.String()


class own_form:
    """Registers a form of this page. Errors show the page again.

    ``form(context, request)`` is the form as it was sent. The view returns a sentence for the
    next page or, to show a secret once, the page itself. ``part`` is the id of the heading to
    go back to.
    """

    def __init__(
        self,
        context: type[Node],
        name: str,
        form: Callable[[Any, Any], SchemaForm],
        permission: Permission = Permission.EDIT,
        part: str = "",
    ) -> None:
        self.view = console_view(
            context=context, name=name, method="POST", permission=permission, template=TEMPLATE
        )
        self.form, self.part = form, part

    def __call__(self, save: Callable[[Any, Any, Any], str | dict[str, Any]]) -> View:
        @functools.wraps(save)
        def view(context: Node, request: Any) -> Any:
            form = self.form(context, request)
            try:
                answer = save(context, request, form)
            except (InvalidInput, Conflict) as error:
                form.reject(request, error)
                return page(context, request, form)
            if isinstance(answer, dict):
                return answer
            flash(request, answer)
            return redirect_back(request, self.part)

        attach_views(view, lambda config: self.view.register(config, view))
        return view


def posted_profile(_context: Me, request: Any) -> SchemaForm:
    return SchemaForm.posted(MeSchema, _PROFILE, request, key="profile")


def password_form(_context: Any = None, _request: Any = None) -> SchemaForm:
    """Empty, because a password is never sent back."""
    return SchemaForm(PasswordSchema, ("current_password", "new_password"), key="password")


def posted_token(_context: Me, request: Any) -> SchemaForm:
    return SchemaForm.posted(TokenFormSchema, _TOKEN, request, key="token")


def redirect_back(request: Any, part: str = "") -> Any:
    return see_other(request, f"{request.script_name}/me{part and f'#{part}'}")


def page(
    context: Node, request: Any, rejected: SchemaForm | None = None, **once: str
) -> dict[str, Any]:
    """The page. ``rejected`` is the form with errors; ``once`` are secrets to show."""
    user = Me(context.root, "me").obj
    kept = {rejected.key: rejected} if rejected is not None else {}
    profile = SchemaForm.of(MeSchema, _PROFILE, user, key="profile")
    # A profile has no version to check: the last save wins.
    profile.version = ""
    usual = {"scopes": [], "days": "90"}
    idle = timedelta(seconds=request.registry["settings"].session_idle)
    return {
        "base": f"{request.script_name}/me",
        "email": user.email,
        "profile": kept.get("profile", profile),
        "password": kept.get("password", password_form()),
        "token": kept.get("token", SchemaForm(TokenFormSchema, _TOKEN, usual, key="token")),
        "scopes": [(str(scope), str(scope)) for scope in Scope],
        "lives": LIVES,
        "tokens": profile_queries.list_tokens(request.db, user.id),
        "browsers": profile_queries.list_sessions(
            request.db, user.id, used_after=request.now - idle
        ),
        "current_browser": request.identity.session_id,
        "new_token": once.get("new_token"),
        "new_feed": once.get("new_feed"),
        **feed_parts.list_feeds(request, kept),
        **contact_parts.list_methods(request, user, kept),
    }
