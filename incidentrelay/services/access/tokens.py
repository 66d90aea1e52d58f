"""Creates and revokes personal tokens."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.errors import InvalidInput, NotAllowed
from incidentrelay.domain.permissions import Scope
from incidentrelay.models import ApiToken, Group, GroupMember, User
from incidentrelay.services.access.secrets import TokenKind, new_token, token_digest, token_hint
from incidentrelay.services.common import audit, limits, resources, validation

_FIELDS: Mapping[str, validation.Check] = {
    "name": validation.NAME,
    "scopes": validation.listing(validation.word(Scope), 1, len(Scope)),
    "group": validation.optional(validation.line(*limits.SLUG)),
    "expires_at": validation.optional(validation.instant),
}


@dataclass(frozen=True, slots=True)
class Granting:
    """The limits of the token that creates another one.

    ``group_id`` is None if it is not bound to a group, ``expires_at`` if it never expires.
    """

    scopes: Collection[str]
    group_id: int | None
    expires_at: datetime | None


def create(
    session: Session,
    user: User,
    data: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
    granting: Granting | None = None,
) -> tuple[ApiToken, str]:
    """Create a token of ``user``; returns it and its text, which cannot be read again.

    ``granting`` is set if the request itself was made with a token: the new one may not
    have more scopes, a wider reach or a longer life (NotAllowed).
    """
    if actor.user_id != user.id and not (actor.is_admin and granting is None):
        raise NotAllowed("People can only create tokens for themselves.")
    values = validation.clean(data, _FIELDS, required=("name", "scopes"))
    if values.get("expires_at") is not None and values["expires_at"] <= now:
        raise InvalidInput.of("expires_at", "This is in the past.")
    group = _group(session, user, values.get("group"))
    if granting is not None:
        _refuse_more(granting, values, group)
    text = new_token(TokenKind.USER)
    token = _build_token(user, group, values, text, now)
    resources.insert_row(session, token, conflict="Try again.")
    diff = resources.given_fields(values)
    audit.record_user_change(
        session, actor, "create", user, token, diff, now=now, group_id=token.group_id
    )
    return token, text


def _build_token(
    user: User, group: Group | None, values: Mapping[str, Any], text: str, now: datetime
) -> ApiToken:
    return ApiToken(
        user_id=user.id,
        name=values["name"],
        digest=token_digest(text),
        hint=token_hint(text),
        scopes=sorted(str(scope) for scope in values["scopes"]),
        group_id=group.id if group else None,
        expires_at=values.get("expires_at"),
        created_at=now,
        updated_at=now,
    )


def update(
    session: Session, token: ApiToken, data: Mapping[str, Any], *, actor: Actor, now: datetime
) -> ApiToken:
    """Rename the token; its permissions never change."""
    diff = resources.change_row(token, validation.clean(data, {"name": validation.NAME}))
    if diff:
        resources.save_row(session, token, now)
        audit.record_user_change(
            session,
            actor,
            "update",
            session.get_one(User, token.user_id),
            token,
            diff,
            now=now,
            group_id=token.group_id,
        )
    return token


def delete(session: Session, token: ApiToken, *, actor: Actor, now: datetime) -> None:
    """Revoke the token; it stops working at once."""
    user = session.get_one(User, token.user_id)
    resources.remove_row(session, token, conflict="This token is still in use.")
    audit.record_user_change(
        session, actor, "delete", user, token, {}, now=now, group_id=token.group_id
    )


def _group(session: Session, user: User, slug: str | None) -> Group | None:
    if slug is None:
        return None
    query = select(Group).where(Group.slug == slug)
    if not user.is_admin:
        query = query.join(GroupMember, GroupMember.group_id == Group.id)
        query = query.where(GroupMember.user_id == user.id)
    group = session.scalar(query)
    if group is None:
        raise InvalidInput.of("group", "There is no group with this name.")
    return group


def _refuse_more(granting: Granting, values: Mapping[str, Any], group: Group | None) -> None:
    more = sorted(set(values["scopes"]) - set(granting.scopes))
    if more:
        raise NotAllowed(f"Your token lacks these scopes: {', '.join(more)}.")
    if granting.group_id is not None and (group is None or group.id != granting.group_id):
        raise NotAllowed("Your token is bound to a group; bind the new one to it too.")
    ends = values.get("expires_at")
    if granting.expires_at is not None and (ends is None or ends > granting.expires_at):
        raise NotAllowed("The new token must not outlive your token.")
