"""``/feeds/<token>.ics`` for calendar programs; the token in the URL authorizes the request."""

from hashlib import sha256
from typing import Any

from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED

from incidentrelay.services.calendars import feed_contents, ical_writer

_GONE = "There is no such calendar feed. It was removed, or its URL was changed.\n"


def show(request: Any) -> Response:
    """The calendar; 304 if the client's copy is current, 404 for an unknown token."""
    # Ignore cookies and Authorization headers: the token in the URL is the only credential.
    contents = feed_contents.read_feed(request.db, request.matchdict["token"], request.now)
    if contents is None:
        return Response(_GONE, status=404, content_type="text/plain", charset="utf-8")
    place = ical_writer.CalendarHost(request.registry["settings"].public_url)
    body = ical_writer.render_calendar(contents, place)
    response = Response(
        body, content_type="text/calendar", charset="utf-8", conditional_response=True
    )
    response.etag = sha256(body).hexdigest()[:32]
    response.content_disposition = 'inline; filename="on-call.ics"'
    # Caches must revalidate, so that a removed feed disappears from them too.
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def address(request: Any, token: str) -> str:
    """The URL of a feed."""
    return f"{request.registry['settings'].public_url}/feeds/{token}.ics"


def includeme(config: Any) -> None:
    config.add_route("feed", "/feeds/{token}.ics")
    config.add_view(
        show, route_name="feed", request_method="GET", permission=NO_PERMISSION_REQUIRED
    )
