"""The calendar feeds of the current user."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select

from incidentrelay.domain.permissions import Permission
from incidentrelay.models import CalendarFeed
from incidentrelay.services.calendars import feeds
from incidentrelay.web.resources.base import Deletable
from incidentrelay.web.resources.collections import Folder
from incidentrelay.web.schemas.oncall.feed import FeedSchema


class FeedNode(Deletable):
    model = CalendarFeed
    schema = FeedSchema
    service = feeds
    noun = "feed"
    offered = (Permission.VIEW, Permission.EDIT, Permission.DELETE)
    scope_domain = "profile"
    address: str | None = None

    @classmethod
    def rows(cls) -> Select[Any]:
        return feeds.feed_rows()

    def details(self) -> Mapping[str, Any]:
        """The URL, only in the response that created it."""
        shown = {"scope": str(feeds.feed_scope(self.obj)), "name": feeds.feed_label(self.obj)}
        return shown | ({"address": self.address} if self.address else {})


class MyFeeds(Folder):
    item = FeedNode
    service = feeds
    key = CalendarFeed.id
    sorts = {"-id": CalendarFeed.id}
    scope_domain = "profile"

    def statement(self) -> Select[Any]:
        return (
            super()
            .statement()
            .where(feeds.find_own_feed(self.owner.id, self.root.request.identity))
        )
