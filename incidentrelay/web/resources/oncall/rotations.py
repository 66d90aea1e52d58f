"""Rotations of a team with their overrides, and the flat list of rotations."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from incidentrelay.domain.oncall.restrictions import Interval
from incidentrelay.models import Rotation, RotationOverride
from incidentrelay.services.oncall import overrides, previews, rotations
from incidentrelay.web.resources.base import Item, Managed, Node
from incidentrelay.web.resources.collections import FlatCollection, Folder
from incidentrelay.web.resources.contents import TeamFolder, with_team
from incidentrelay.web.resources.grants import OVERRIDE_VERBS
from incidentrelay.web.schemas.oncall.rotation import (
    GapWarningSchema,
    OverrideSchema,
    RotationSchema,
)


class OverrideNode(Managed):
    model = RotationOverride
    schema = OverrideSchema
    service = overrides
    noun = "override"
    fixed = ()
    verbs = OVERRIDE_VERBS
    scope_domain = "resources"

    @classmethod
    def rows(cls) -> Select[Any]:
        return select(RotationOverride).options(joinedload(RotationOverride.user))


class Overrides(Folder):
    tag = "overrides"
    item = OverrideNode
    service = overrides
    key = RotationOverride.id
    sorts = {"starts_at": RotationOverride.starts_at, "-id": RotationOverride.id}
    verbs = OVERRIDE_VERBS
    scope_domain = "resources"

    def statement(self) -> Select[Any]:
        return super().statement().where(RotationOverride.rotation_id == self.owner.id)


def _minimum(node: Node) -> dict[str, Any]:
    settings = node.root.request.registry["settings"]
    return {"reminder_interval_minimum": settings.reminder_interval_minimum}


class RotationNode(Managed):
    """A rotation. ``load_layers`` sets ``layers``.

    ``gaps`` are upcoming gaps, or None in lists, where computing them costs too much.
    """

    model = Rotation
    schema = RotationSchema
    service = rotations
    noun = "rotation"
    scope_domain = "resources"
    children = {"overrides": Overrides}
    layers: Sequence[Mapping[str, Any]] = ()
    gaps: Sequence[Interval] | None = None

    @classmethod
    def rows(cls) -> Select[Any]:
        return with_team(Rotation)

    def extras(self) -> Mapping[str, Any]:
        return _minimum(self)

    def details(self) -> Mapping[str, Any]:
        if self.gaps is None:
            return {"layers": self.layers}
        warning = {"count": len(self.gaps), "first": next(iter(self.gaps), None)}
        return {"layers": self.layers, "gaps": GapWarningSchema().dump(warning)}

    def complete(self) -> None:
        self.gaps = previews.list_upcoming_gaps(self.db, self.obj, self.root.request.now)


def load_layers(nodes: Sequence[Item]) -> None:
    """Set the current layers of rotation nodes, in a constant number of statements."""
    if not nodes:
        return
    layers = rotations.load_current_layers(nodes[0].db, [node.obj.id for node in nodes])
    for node in nodes:
        if isinstance(node, RotationNode):
            node.layers = layers.get(node.obj.id, ())


class TeamRotations(TeamFolder):
    tag = "rotations"
    item = RotationNode
    service = rotations
    key = Rotation.slug
    sorts = {"slug": Rotation.slug, "name": Rotation.name}

    def extras(self) -> Mapping[str, Any]:
        return _minimum(self)

    def preload(self, nodes: Sequence[Item]) -> None:
        load_layers(nodes)


class Rotations(FlatCollection):
    tag = "rotations"
    item = RotationNode
    key = Rotation.id
    sorts = {"slug": Rotation.slug, "name": Rotation.name}
    scope_domain = "resources"

    def preload(self, nodes: Sequence[Item]) -> None:
        load_layers(nodes)
