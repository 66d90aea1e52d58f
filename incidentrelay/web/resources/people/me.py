"""The current user: profile, tokens, calendar feeds and browser sessions."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from pyramid.authorization import Authenticated
from pyramid.httpexceptions import HTTPForbidden
from sqlalchemy import Select

from incidentrelay.domain.permissions import Permission
from incidentrelay.models import ApiToken, User, WebSession
from incidentrelay.services.access import sessions as web_sessions
from incidentrelay.services.access import tokens
from incidentrelay.services.tenancy import users
from incidentrelay.web.resources.base import ACE, Deletable, Editable, Node, allow
from incidentrelay.web.resources.collections import Collection, Folder
from incidentrelay.web.resources.oncall.feeds import MyFeeds
from incidentrelay.web.resources.people.contacts import MyContacts, MyRules
from incidentrelay.web.schemas.people.me import MeSchema, SessionSchema, TokenSchema


class TokenNode(Deletable):
    model = ApiToken
    schema = TokenSchema
    service = tokens
    noun = "token"
    offered = (Permission.VIEW, Permission.DELETE)
    scope_domain = "profile"
    token: str | None = None

    def details(self) -> Mapping[str, Any]:
        """The token itself, only in the response that created it."""
        return {"token": self.token} if self.token else {}


class MyTokens(Folder):
    item = TokenNode
    service = tokens
    key = ApiToken.id
    sorts = {"-id": ApiToken.id}
    scope_domain = "profile"

    def statement(self) -> Select[Any]:
        return super().statement().where(ApiToken.user_id == self.owner.id)


class SessionNode(Deletable):
    model = WebSession
    schema = SessionSchema
    service = web_sessions
    noun = "session"
    offered = (Permission.VIEW, Permission.DELETE)
    scope_domain = "profile"

    def details(self) -> Mapping[str, Any]:
        return {"current": self.obj.id == self.root.request.identity.session_id}


class MySessions(Collection):
    item = SessionNode
    key = WebSession.id
    sorts = {"-id": WebSession.id}
    scope_domain = "profile"

    def statement(self) -> Select[Any]:
        return super().statement().where(WebSession.user_id == self.owner.id)


class Me(Editable):
    """The current user, as ``obj``."""

    tag = "me"
    model = User
    schema = MeSchema
    service = users
    noun = "me"
    fixed = ("username",)
    offered = (Permission.VIEW, Permission.EDIT)
    scope_domain = "profile"
    children = {
        "tokens": MyTokens,
        "sessions": MySessions,
        "feeds": MyFeeds,
        "contacts": MyContacts,
        "rules": MyRules,
    }

    def __init__(self, parent: Node, name: str) -> None:
        Node.__init__(self, parent, name)

    @cached_property
    def obj(self) -> User:
        """The user; raises HTTPForbidden for anonymous requests and route tokens.

        Children are looked up before permissions are checked.
        """
        identity = self.root.request.identity
        if identity is None or identity.user_id is None:
            raise HTTPForbidden
        return self.db.get_one(User, identity.user_id)

    def __acl__(self) -> Sequence[ACE]:
        own = frozenset({Permission.VIEW, Permission.EDIT, Permission.CREATE, Permission.DELETE})
        return [allow(Authenticated, own)]

    def details(self) -> Mapping[str, Any]:
        identity = self.root.request.identity
        return {"scopes": sorted(identity.scopes) if identity.kind == "token" else None}
