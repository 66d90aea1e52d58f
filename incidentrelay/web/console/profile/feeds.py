"""Calendar feeds: their forms on the settings page."""

from typing import Any

from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.domain.permissions import Permission
from incidentrelay.services.calendars import feeds
from incidentrelay.web import feeds as addresses
from incidentrelay.web.console.forms.schema_forms import SchemaForm
from incidentrelay.web.console.profile import feed_parts, me_page
from incidentrelay.web.console.profile.me_page import own_form, redirect_back
from incidentrelay.web.console.toolkit.actors import actor
from incidentrelay.web.console.toolkit.errors import sentence
from incidentrelay.web.console.toolkit.flash import flash
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.resources.oncall.feeds import FeedNode
from incidentrelay.web.resources.people.me import Me


@own_form(Me, "new-feed", feed_parts.posted_feed, Permission.CREATE)
def make_feed(context: Me, request: Any, form: SchemaForm) -> dict[str, Any]:
    """Shows the URL in the response itself: it is not stored, so no later page could."""
    data, who = _chosen(form.value("what")), actor(request)
    try:
        _, token = feeds.create(request.db, context.obj, data, actor=who, now=request.now)
    except (InvalidInput, Conflict) as error:
        raise InvalidInput.of("what", sentence(error)) from error
    return me_page.page(context, request, new_feed=addresses.address(request, token))


@console_view(
    context=FeedNode,
    name="regenerate",
    method="POST",
    permission=Permission.EDIT,
    template=me_page.TEMPLATE,
)
def regenerate(context: FeedNode, request: Any) -> Any:
    token = feeds.regenerate_token(request.db, context.obj, actor=actor(request), now=request.now)
    return me_page.page(context, request, new_feed=addresses.address(request, token))


@console_view(context=FeedNode, name="delete", method="POST", permission=Permission.DELETE)
def remove(context: FeedNode, request: Any) -> Any:
    feeds.delete(request.db, context.obj, actor=actor(request), now=request.now)
    flash(request, "Calendar feed removed. Its URL no longer works.")
    return redirect_back(request)


def _chosen(what: str) -> dict[str, Any]:
    """``user``, ``team:3`` or ``rotation:7``, as arguments of the service."""
    scope, _, number = what.partition(":")
    if not number:
        return {"scope": scope}
    if not (number.isascii() and number.isdigit() and len(number) <= 18):
        raise InvalidInput.of("what", "This calendar does not exist.")
    return {"scope": scope, f"{scope}_id": int(number)}
