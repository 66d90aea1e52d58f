"""Finds a team's resources by their slugs."""

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.models import Channel, Policy, Rotation, Route, Team

TeamThing = TypeVar("TeamThing", Rotation, Policy, Channel, Route)


def find_team(session: Session, row: Rotation | Policy | Channel | Route) -> Team:
    """The team that owns ``row``, queried only if it is not loaded yet."""
    return session.get_one(Team, row.team_id)


def has_slug(session: Session, model: type[TeamThing], team_id: int, slug: str) -> bool:
    """Whether the team has a ``model`` with that slug."""
    twin = select(model.id).where(model.team_id == team_id, model.slug == slug)
    return session.scalar(twin) is not None


def find_things(
    session: Session, model: type[TeamThing], team_id: int, slugs: Sequence[str], field: str
) -> list[TeamThing]:
    """The team's rows with these slugs, in order; raises InvalidInput for ``field``."""
    query = select(model).where(model.team_id == team_id, model.slug.in_(slugs))
    found = {row.slug: row for row in session.scalars(query)} if slugs else {}
    noun = model.__name__.lower()
    for slug in slugs:
        if slug not in found:
            raise InvalidInput.of(field, f"The team has no {noun} “{slug}”.")
    return [found[slug] for slug in slugs]
