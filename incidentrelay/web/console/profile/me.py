"""One's own settings: profile, password, browsers that are signed in, personal tokens."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pyramid.security import forget

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.permissions import Permission, Scope
from incidentrelay.services.access import login, tokens
from incidentrelay.services.access import sessions as web_sessions
from incidentrelay.services.people import profile_queries, users
from incidentrelay.web.console.forms import forms
from incidentrelay.web.console.profile import contact_parts, feed_parts
from incidentrelay.web.console.toolkit.actors import actor
from incidentrelay.web.console.toolkit.flash import flash
from incidentrelay.web.console.toolkit.redirects import see_other
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.resources.people.me import Me, SessionNode, TokenNode
from incidentrelay.web.security.sessions import session_cookie

TEMPLATE = "profile/me.jinja2"
_FIELDS = ("display_name", "email", "phone", "zone")
_NOTICES = ("shift_start_reminder", "shift_end_reminder")
LIVES = (("30", "30 days"), ("90", "90 days"), ("365", "1 year"), ("", "for ever"))


class own(console_view):
    """A form of this page; where something is wrong the page comes back with its words."""

    def __init__(self, name: str, permission: Permission = Permission.EDIT) -> None:
        super().__init__(
            context=Me, name=name, method="POST", permission=permission, template=TEMPLATE
        )


@console_view(context=Me, permission=Permission.VIEW, template=TEMPLATE)
def show(context: Me, request: Any) -> dict[str, Any]:
    return page(context, request)


@own("profile")
def save_profile(context: Me, request: Any) -> Any:
    values: dict[str, Any] = {name: forms.typed(request, name) for name in _FIELDS}
    values |= {name: name in request.POST for name in _NOTICES}
    try:
        data: dict[str, Any] = {name: forms.text(request, name, 254) for name in _FIELDS}
        data |= {name: name in request.POST for name in _NOTICES}
        users.update(request.db, context.obj, data, actor=actor(request), now=request.now)
    except InvalidInput as error:
        return wrong(context, request, error, profile=values)
    flash(request, "Profile saved.")
    return back(request)


@own("password")
def save_password(context: Me, request: Any) -> Any:
    current, new = (forms.typed(request, f"{word}_password") for word in ("current", "new"))
    try:
        login.change_password(
            request.db,
            context.obj,
            current=current,
            new=new,
            actor=actor(request),
            now=request.now,
            keep=session_cookie(request),
        )
    except InvalidInput as error:
        return wrong(context, request, error)
    flash(request, "Password changed. Your other browsers are signed out.")
    return back(request)


@own("new-token", Permission.CREATE)
def make_token(context: Me, request: Any) -> Any:
    """The page with the token: it is not kept, so that no redirect could show it."""
    given = {"name": forms.typed(request, "name"), "scopes": forms.words(request, "scopes")}
    try:
        data = {"name": forms.text(request, "name"), "scopes": given["scopes"]}
        data |= {"expires_at": _expiry(request)}
        _, text = tokens.create(
            request.db, context.obj, data, actor=actor(request), now=request.now
        )
    except InvalidInput as error:
        return wrong(context, request, error, token=given)
    return page(context, request, new_token=text)


@own("sign-out-everywhere")
def sign_out_everywhere(context: Me, request: Any) -> Any:
    login.end_sessions(request.db, context.obj)
    return see_other(request, f"{request.script_name}/login", forget(request))


@console_view(context=TokenNode, name="delete", method="POST", permission=Permission.DELETE)
def delete_token(context: TokenNode, request: Any) -> Any:
    tokens.delete(request.db, context.obj, actor=actor(request), now=request.now)
    flash(request, "Token revoked.")
    return back(request)


@console_view(context=SessionNode, name="delete", method="POST", permission=Permission.DELETE)
def sign_out_browser(context: SessionNode, request: Any) -> Any:
    web_sessions.delete(request.db, context.obj, actor=actor(request), now=request.now)
    flash(request, "Signed out that browser.")
    return back(request)


def _expiry(request: Any) -> Any:
    days = forms.text(request, "days", 3)
    if days not in dict(LIVES):
        raise InvalidInput.of("days", "Choose how long it works.")
    return request.now + timedelta(days=int(days)) if days else None


def back(request: Any) -> Any:
    return see_other(request, f"{request.script_name}/me")


def wrong(context: Me, request: Any, error: InvalidInput, **given: Any) -> dict[str, Any]:
    request.response.status_int = 422
    request.tm.doom()
    errors = {name: " ".join(texts) for name, texts in error.errors.items()}
    return page(context, request, errors=errors, **given)


def page(
    context: Me,
    request: Any,
    *,
    errors: Mapping[str, str] | None = None,
    profile: Mapping[str, Any] | None = None,
    token: Mapping[str, Any] | None = None,
    new_token: str | None = None,
    new_feed: str | None = None,
    reach: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What the page shows; what is given stands in its forms again."""
    user, identity = context.obj, request.identity
    idle = timedelta(seconds=request.registry["settings"].session_idle)
    return {
        "profile": profile or {name: getattr(user, name) or "" for name in (*_FIELDS, *_NOTICES)},
        "errors": errors or {},
        "tokens": profile_queries.list_tokens(request.db, user.id),
        "token": token or {"name": "", "scopes": []},
        "new_token": new_token,
        "new_feed": new_feed,
        **feed_parts.part(request),
        "scopes": list(Scope),
        "lives": LIVES,
        "browsers": profile_queries.list_sessions(
            request.db, user.id, used_after=request.now - idle
        ),
        "current_browser": identity.session_id,
        "base": f"{request.script_name}/me",
        "reach": reach or contact_parts.reach(context, request),
    }
