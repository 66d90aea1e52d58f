"""Calendar feeds: their users create them, regenerate their URLs and delete them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.errors import Conflict, InvalidInput, NotAllowed
from incidentrelay.domain.permissions import Permission, Scope
from incidentrelay.models import CalendarFeed, Rotation, Team, User
from incidentrelay.services.access import memberships
from incidentrelay.services.access.secrets import TokenKind, new_token, token_digest, token_hint
from incidentrelay.services.access.tokens import Granting
from incidentrelay.services.access.visibility import Memberships, visible
from incidentrelay.services.common import audit, limits, resources, validation

MAX_FEEDS = 50


class FeedScope(StrEnum):
    """The subject of a feed: all shifts of its user, one rotation, or one team."""

    USER = "user"
    ROTATION = "rotation"
    TEAM = "team"


_FIELDS: Mapping[str, validation.Check] = {
    "scope": validation.word(FeedScope),
    "rotation_id": validation.optional(validation.number(*limits.ROW_ID)),
    "team_id": validation.optional(validation.number(*limits.ROW_ID)),
}
_MODELS: Mapping[FeedScope, type[Rotation | Team]] = {
    FeedScope.ROTATION: Rotation,
    FeedScope.TEAM: Team,
}


def feed_rows() -> Select[Any]:
    """All feeds, with their teams and rotations."""
    return select(CalendarFeed).options(
        joinedload(CalendarFeed.rotation).joinedload(Rotation.team), joinedload(CalendarFeed.team)
    )


def find_own_feed(user_id: int, roles: Memberships) -> ColumnElement[bool]:
    """The condition for a person's feeds, without subjects they may no longer see."""
    return and_(
        CalendarFeed.user_id == user_id,
        or_(
            CalendarFeed.rotation_id.is_(None),
            CalendarFeed.rotation_id.in_(
                select(Rotation.id).where(visible(Rotation, roles, Permission.VIEW))
            ),
        ),
        or_(
            CalendarFeed.team_id.is_(None),
            CalendarFeed.team_id.in_(select(Team.id).where(visible(Team, roles, Permission.VIEW))),
        ),
    )


def feed_scope(feed: CalendarFeed) -> FeedScope:
    if feed.rotation_id is not None:
        return FeedScope.ROTATION
    return FeedScope.USER if feed.team_id is None else FeedScope.TEAM


def feed_label(feed: CalendarFeed) -> str:
    """The subject of a feed (one of :func:`feed_rows`), in words."""
    if feed.rotation is not None:
        return f"{feed.rotation.team.name}, {feed.rotation.name}"
    return "All your shifts" if feed.team is None else feed.team.name


def create(
    session: Session,
    user: User,
    data: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
    granting: Granting | None = None,
) -> tuple[CalendarFeed, str]:
    """Create a feed of ``user``; returns it and its token, which cannot be read again.

    The scopes rotation and team require a ``rotation_id`` or ``team_id`` that the user may see
    (else InvalidInput). ``granting`` is the token of the request, if there is one: it must be
    able to read schedules and never expire (else NotAllowed), because the feed never expires
    either.
    """
    _refuse_others(user, actor, granting)
    values = validation.clean(data, _FIELDS, required=("scope",))
    target = _target(session, user, values)
    _refuse_too_many(session, user)
    token = new_token(TokenKind.FEED)
    feed = CalendarFeed(
        user_id=user.id,
        digest=token_digest(token),
        hint=token_hint(token),
        created_at=now,
        updated_at=now,
        **target,
    )
    resources.insert_row(session, feed, conflict="Try again.")
    audit.record_user_change(
        session, actor, "create", user, feed, resources.given_fields(values), now=now
    )
    return feed, token


def regenerate_token(
    session: Session,
    feed: CalendarFeed,
    *,
    actor: Actor,
    now: datetime,
    granting: Granting | None = None,
) -> str:
    """Give the feed a new token and return it; the old URL stops working at once."""
    user = session.get_one(User, feed.user_id)
    _refuse_others(user, actor, granting)
    token = new_token(TokenKind.FEED)
    feed.digest = token_digest(token)
    feed.hint = token_hint(token)
    resources.save_row(session, feed, now)
    diff = {"token": [audit.MASK, audit.MASK]}
    audit.record_user_change(session, actor, "regenerate", user, feed, diff, now=now)
    return token


def delete(session: Session, feed: CalendarFeed, *, actor: Actor, now: datetime) -> None:
    """Delete the feed; its URL stops working at once."""
    user = session.get_one(User, feed.user_id)
    resources.remove_row(session, feed, conflict="This feed is still needed.")
    audit.record_user_change(session, actor, "delete", user, feed, {}, now=now)


def list_own_feeds(session: Session, user_id: int, roles: Memberships) -> Sequence[CalendarFeed]:
    """The user's feeds, each with its team or rotation, newest first."""
    query = feed_rows().where(find_own_feed(user_id, roles))
    return session.scalars(query.order_by(CalendarFeed.id.desc()).limit(MAX_FEEDS)).all()


def _refuse_others(user: User, actor: Actor, granting: Granting | None) -> None:
    if actor.user_id != user.id:
        raise NotAllowed("You can only create feeds of your own.")
    if granting is None:
        return
    if Scope.RESOURCES_READ not in granting.scopes:
        raise NotAllowed("Your token lacks the scope resources:read.")
    if granting.expires_at is not None or granting.group_id is not None:
        raise NotAllowed("Your token expires or is bound to a group; a feed is neither.")


def _target(session: Session, user: User, values: Mapping[str, Any]) -> dict[str, int]:
    """The column that names the feed's subject; empty for the user's own shifts."""
    scope: FeedScope = values["scope"]
    needed = None if scope is FeedScope.USER else f"{scope}_id"
    errors = {
        field: [f"A feed with the scope “{scope}” accepts no such id."]
        for field in ("rotation_id", "team_id")
        if field != needed and values.get(field) is not None
    }
    if needed is not None and values.get(needed) is None:
        errors[needed] = [validation.MISSING]
    if errors:
        raise InvalidInput(errors)
    if needed is None:
        return {}
    model, roles = _MODELS[scope], memberships.load_roles(session, user)
    seen = select(model.id).where(
        model.id == values[needed], visible(model, roles, Permission.VIEW)
    )
    if session.scalar(seen) is None:
        raise InvalidInput.of(needed, f"There is no such {scope}, or you may not see it.")
    return {needed: values[needed]}


def _refuse_too_many(session: Session, user: User) -> None:
    count = select(func.count()).where(CalendarFeed.user_id == user.id)
    if (session.scalar(count) or 0) >= MAX_FEEDS:
        raise Conflict(f"You have {MAX_FEEDS} calendar feeds; remove one first.")
