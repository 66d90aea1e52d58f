"""Silences of a team, and the flat list of silences."""

from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import joinedload

from incidentrelay.models import Silence
from incidentrelay.services.silences import silences
from incidentrelay.web.resources.base import Managed
from incidentrelay.web.resources.collections import Collection, FlatCollection
from incidentrelay.web.resources.contents import TeamFolder, with_team
from incidentrelay.web.resources.grants import SILENCE_VERBS
from incidentrelay.web.schemas.silence import SilenceSchema


class SilenceNode(Managed):
    model = Silence
    schema = SilenceSchema
    service = silences
    noun = "silence"
    flat_path = "silences"
    fixed = ()
    verbs = SILENCE_VERBS
    scope_domain = "resources"

    @classmethod
    def rows(cls) -> Select[Any]:
        return with_team(Silence, joinedload(Silence.created_by))


class SilenceCollection(Collection):
    """The base of a team's silences and the flat list; views of silences are registered for it."""

    tag = "silences"
    item = SilenceNode
    key = Silence.id
    sorts = {"-ends_at": Silence.ends_at, "-id": Silence.id}


class TeamSilences(SilenceCollection, TeamFolder):
    service = silences
    verbs = SILENCE_VERBS


class Silences(SilenceCollection, FlatCollection):
    scope_domain = "resources"
