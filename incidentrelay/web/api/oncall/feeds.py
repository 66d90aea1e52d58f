"""The current user's calendar feeds: creating them and replacing their URLs."""

from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.services.calendars import feeds
from incidentrelay.web import feeds as feed_pages
from incidentrelay.web.api.people.me import granting
from incidentrelay.web.api.toolkit import crud
from incidentrelay.web.api.toolkit.view import api_view
from incidentrelay.web.resources.base import Item
from incidentrelay.web.resources.oncall.feeds import FeedNode, MyFeeds
from incidentrelay.web.schemas.oncall.feed import NewFeedSchema


@api_view(
    context=MyFeeds,
    method="POST",
    permission=Permission.CREATE,
    body="schema",
    returns=NewFeedSchema,
    status=201,
    errors=(409, 413, 415, 422),
    summary="Create a calendar feed; its URL is shown only once",
)
def create_feed(context: MyFeeds, request: Any) -> Item:
    row, token = feeds.create(
        request.db,
        context.owner,
        crud.without_version(request.body_data),
        actor=crud.actor(request),
        now=request.now,
        granting=granting(request.identity),
    )
    return _with_address(crud.created(context, request, row), request, token)


@api_view(
    context=FeedNode,
    name="regenerate",
    method="POST",
    permission=Permission.EDIT,
    returns=NewFeedSchema,
    errors=(412,),
    summary="Replace the feed's URL; the old one stops working",
)
def regenerate(context: FeedNode, request: Any) -> Item:
    crud.check_version(context, request, {})
    token = feeds.regenerate_token(
        request.db,
        context.obj,
        actor=crud.actor(request),
        now=request.now,
        granting=granting(request.identity),
    )
    return _with_address(crud.loaded(context, request), request, token)


def _with_address(node: Item, request: Any, token: str) -> Item:
    if isinstance(node, FeedNode):
        node.address = feed_pages.address(request, token)
    return node
