"""The current user's password and tokens."""

from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.services.access import login, tokens
from incidentrelay.services.access.tokens import Granting
from incidentrelay.web.api.toolkit import crud
from incidentrelay.web.api.toolkit.view import api_view
from incidentrelay.web.resources.base import Item
from incidentrelay.web.resources.people.me import Me, MyTokens, TokenNode
from incidentrelay.web.schemas.people.me import NewTokenSchema, PasswordSchema
from incidentrelay.web.security.sessions import session_cookie


@api_view(
    context=Me,
    name="password",
    method="POST",
    permission=Permission.EDIT,
    body=PasswordSchema,
    status=204,
    errors=(413, 415, 422),
    summary="Change your password and sign out your other browsers",
)
def change_password(context: Me, request: Any) -> None:
    login.change_password(
        request.db,
        context.obj,
        current=request.body_data["current_password"],
        new=request.body_data["new_password"],
        actor=crud.actor(request),
        now=request.now,
        keep=session_cookie(request) or None,
    )


@api_view(
    context=MyTokens,
    method="POST",
    permission=Permission.CREATE,
    body="schema",
    returns=NewTokenSchema,
    status=201,
    errors=(413, 415, 422),
    summary="Create a token; it is shown only once",
)
def create_token(context: MyTokens, request: Any) -> Item:
    row, text = tokens.create(
        request.db,
        context.owner,
        crud.without_version(request.body_data),
        actor=crud.actor(request),
        now=request.now,
        granting=granting(request.identity),
    )
    node = crud.created(context, request, row)
    if isinstance(node, TokenNode):
        node.token = text
    return node


def granting(identity: Any) -> Granting | None:
    """The limits of the current token; None in a browser."""
    if identity.kind != "token":
        return None
    return Granting(identity.scopes, identity.bound_group_id, identity.token_expires_at)
