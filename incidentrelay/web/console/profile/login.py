"""Signing in and out, and the start page."""

from typing import Any

from pyramid.security import NO_PERMISSION_REQUIRED, forget, remember

from incidentrelay.domain.errors import NotAllowed
from incidentrelay.services.access import login
from incidentrelay.services.operations import first_steps
from incidentrelay.web.console.forms import forms
from incidentrelay.web.console.toolkit.redirects import home, local_path, see_other
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.resources.root import Root
from incidentrelay.web.security.sessions import session_cookie


@console_view(context=Root, permission=NO_PERMISSION_REQUIRED)
def start(_context: Root, request: Any) -> Any:
    """The list of alerts; before the first one was acknowledged, admins get the checklist."""
    identity = request.identity
    if identity is not None and identity.is_admin and first_steps.is_first_run(request.db):
        return see_other(request, f"{request.script_name}/first-steps")
    return see_other(request, home(request))


@console_view(
    context=Root, name="login", permission=NO_PERMISSION_REQUIRED, template="profile/login.jinja2"
)
def show(_context: Root, request: Any) -> Any:
    following = local_path(request.GET.get("next"))
    if request.identity is not None:
        return see_other(request, following or home(request))
    return {"error": None, "username": "", "next": following}


@console_view(
    context=Root,
    name="login",
    method="POST",
    permission=NO_PERMISSION_REQUIRED,
    template="profile/login.jinja2",
)
def sign_in(_context: Root, request: Any) -> Any:
    username = forms.typed(request, "username")[:200]
    following = local_path(request.POST.get("next"))
    try:
        cookie = _sign_in(request, username)
    except NotAllowed as error:
        request.response.status_int = 403
        return {"error": error.message, "username": username, "next": following}
    return see_other(request, following or f"{request.script_name}/", remember(request, cookie))


def _sign_in(request: Any, username: str) -> str:
    cookie, _ = login.sign_in(
        request.registry["database"],
        username,
        forms.typed(request, "password"),
        address=request.client_addr or "",
        user_agent=request.user_agent or "",
        now=request.now,
        request_id=request.id,
    )
    if session_cookie(request):
        # This ends the browser's previous session.
        login.sign_out(request.db, session_cookie(request))
    return cookie


@console_view(context=Root, name="logout", method="POST", permission=NO_PERMISSION_REQUIRED)
def sign_out(_context: Root, request: Any) -> Any:
    login.sign_out(request.db, session_cookie(request))
    return see_other(request, f"{request.script_name}/login", forget(request))
