"""The common parts of all collections in a team."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from incidentrelay.domain.permissions import ScopeLevel
from incidentrelay.models import Team
from incidentrelay.web.resources.base import ACE
from incidentrelay.web.resources.collections import Collection, Folder
from incidentrelay.web.resources.grants import team_grants


def with_team(model: Any, *options: Any) -> Select[Any]:
    """Rows of ``model`` with their team and group loaded, so that they can be placed."""
    return select(model).options(joinedload(model.team).joinedload(Team.group), *options)


class TeamCollection(Collection):
    """A collection of one team's rows."""

    scope_domain = "resources"

    @property
    def team(self) -> Team:
        team: Team = self.owner
        return team

    def statement(self) -> Select[Any]:
        return super().statement().where(self.item.model.team_id == self.team.id)


class TeamFolder(TeamCollection, Folder):
    """A collection whose items the team's managers create, edit and delete."""

    def __acl__(self) -> Sequence[ACE]:
        return team_grants(self.team.id, ScopeLevel.CONTENTS)
