"""The user's own settings: profile, password, signed-in browsers, personal tokens."""

from datetime import timedelta
from typing import Any

from pyramid.security import forget

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.permissions import Permission
from incidentrelay.services.access import login, tokens
from incidentrelay.services.access import sessions as web_sessions
from incidentrelay.services.tenancy import users
from incidentrelay.web.console.forms import forms
from incidentrelay.web.console.forms.schema_forms import SchemaForm
from incidentrelay.web.console.profile import me_page
from incidentrelay.web.console.profile.me_page import LIVES, own_form, redirect_back
from incidentrelay.web.console.toolkit.actors import actor
from incidentrelay.web.console.toolkit.flash import flash
from incidentrelay.web.console.toolkit.redirects import see_other
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.resources.people.me import Me, SessionNode, TokenNode
from incidentrelay.web.security.sessions import session_cookie


@console_view(context=Me, permission=Permission.VIEW, template=me_page.TEMPLATE)
def show(context: Me, request: Any) -> dict[str, Any]:
    return me_page.page(context, request)


@own_form(Me, "profile", me_page.posted_profile)
def save_profile(context: Me, request: Any, form: SchemaForm) -> str:
    users.update(request.db, context.obj, form.parse(), actor=actor(request), now=request.now)
    return "Profile saved."


@own_form(Me, "password", me_page.password_form)
def save_password(context: Me, request: Any, _form: SchemaForm) -> str:
    # Passwords keep their blanks.
    login.change_password(
        request.db,
        context.obj,
        current=forms.typed(request, "current_password"),
        new=forms.typed(request, "new_password"),
        actor=actor(request),
        now=request.now,
        keep=session_cookie(request),
    )
    return "Password changed. Your other browsers are signed out."


@own_form(Me, "new-token", me_page.posted_token, Permission.CREATE)
def make_token(context: Me, request: Any, form: SchemaForm) -> dict[str, Any]:
    """Shows the token in the response itself: it is not stored, so no later page could."""
    data = form.parse()
    data["expires_at"] = _expiry(request, data.pop("days"))
    _, text = tokens.create(request.db, context.obj, data, actor=actor(request), now=request.now)
    return me_page.page(context, request, new_token=text)


@console_view(context=Me, name="sign-out-everywhere", method="POST", permission=Permission.EDIT)
def sign_out_everywhere(context: Me, request: Any) -> Any:
    login.end_sessions(request.db, context.obj)
    return see_other(request, f"{request.script_name}/login", forget(request))


@console_view(context=TokenNode, name="delete", method="POST", permission=Permission.DELETE)
def delete_token(context: TokenNode, request: Any) -> Any:
    tokens.delete(request.db, context.obj, actor=actor(request), now=request.now)
    flash(request, "Token revoked.")
    return redirect_back(request)


@console_view(context=SessionNode, name="delete", method="POST", permission=Permission.DELETE)
def sign_out_browser(context: SessionNode, request: Any) -> Any:
    web_sessions.delete(request.db, context.obj, actor=actor(request), now=request.now)
    flash(request, "Signed out that browser.")
    return redirect_back(request)


def _expiry(request: Any, days: str) -> Any:
    if days not in dict(LIVES):
        raise InvalidInput.of("days", "Choose a lifetime.")
    return request.now + timedelta(days=int(days)) if days else None
