"""One's own calendar feeds: forms of the page of one's own settings."""

from typing import Any

from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.domain.permissions import Permission
from incidentrelay.services.calendars import feeds
from incidentrelay.web import feeds as addresses
from incidentrelay.web.console.forms import forms
from incidentrelay.web.console.profile import me
from incidentrelay.web.console.toolkit.actors import actor
from incidentrelay.web.console.toolkit.errors import sentence
from incidentrelay.web.console.toolkit.flash import flash
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.resources.oncall.feeds import FeedNode
from incidentrelay.web.resources.people.me import Me


@me.own("new-feed", Permission.CREATE)
def make_feed(context: Me, request: Any) -> Any:
    """The page with the address: it is not kept, so that no redirect could show it."""
    try:
        data = _asked(forms.typed(request, "what"))
        _, token = feeds.create(
            request.db, context.obj, data, actor=actor(request), now=request.now
        )
    except (InvalidInput, Conflict) as error:
        return me.wrong(context, request, InvalidInput.of("what", sentence(error)))
    return me.page(context, request, new_feed=addresses.address(request, token))


@console_view(
    context=FeedNode,
    name="regenerate",
    method="POST",
    permission=Permission.EDIT,
    template=me.TEMPLATE,
)
def regenerate(context: FeedNode, request: Any) -> Any:
    token = feeds.regenerate_token(request.db, context.obj, actor=actor(request), now=request.now)
    address = addresses.address(request, token)
    return me.page(Me(context.root, "me"), request, new_feed=address)


@console_view(context=FeedNode, name="delete", method="POST", permission=Permission.DELETE)
def remove(context: FeedNode, request: Any) -> Any:
    feeds.delete(request.db, context.obj, actor=actor(request), now=request.now)
    flash(request, "Calendar feed removed. Its address no longer works.")
    return me.back(request)


def _asked(what: str) -> dict[str, Any]:
    """``user``, ``team:3`` or ``rotation:7``, as the service wants it."""
    scope, _, number = what.partition(":")
    if not number:
        return {"scope": scope}
    if not (number.isascii() and number.isdigit() and len(number) <= 18):
        raise InvalidInput.of("what", "There is no such calendar.")
    return {"scope": scope, f"{scope}_id": int(number)}
