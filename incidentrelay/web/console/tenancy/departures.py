"""Members leave: what depends on them is shown first, and then moves on.

The form sends along which dependents it showed. If others have come since, the service
refuses, and the page shows them.
"""

import hashlib
import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from marshmallow import fields

from incidentrelay.domain.permissions import Permission
from incidentrelay.models import User
from incidentrelay.services.tenancy import dependents
from incidentrelay.services.tenancy.dependents import Dependents
from incidentrelay.web.console.forms.editor import FormPage, form_page
from incidentrelay.web.console.toolkit.flash import flash
from incidentrelay.web.console.toolkit.redirects import to_node
from incidentrelay.web.resources.base import Node
from incidentrelay.web.resources.tenancy.groups import GroupMemberNode
from incidentrelay.web.resources.tenancy.teams import TeamMemberNode
from incidentrelay.web.schemas.base import Body

TEMPLATE = "tenancy/departure.jinja2"
_MOST_LINKS = 50
# Kind → (heading, what happens to them).
_KINDS: Mapping[str, tuple[str, str]] = {
    "rotations": ("Rotations", "Their turns pass to the other members."),
    "overrides": ("Overrides", "They no longer count; the rotation's schedule applies."),
    "policies": ("Policies", "Steps that notify only them reach nobody."),
    "fallback_of": ("Fallback contact of", "Choose another one: until then a banner warns."),
    "alerts": ("Open alerts", "They fire again and page the person on call."),
}
_BLOCKS = "Take them out first."


class DepartureSchema(Body):
    """``seen`` is the fingerprint of the dependents that the page showed."""

    seen = fields.String()


@dataclass(frozen=True, slots=True)
class DependentGroup:
    """Dependents of one kind: (name, URL). ``blocking`` ones must be changed first."""

    title: str
    outcome: str
    links: Sequence[tuple[str, str]]
    more: int
    blocking: bool


class DeparturePage(FormPage):
    """Asks before somebody leaves.

    ``blocks`` are the kinds of dependents that the service refuses even if confirmed.
    """

    schema = DepartureSchema
    names = ("seen",)
    verb: str
    button: str
    blocks: frozenset[str] = frozenset()
    group_id: int | None = None

    @property
    @abstractmethod
    def user(self) -> User: ...

    @property
    @abstractmethod
    def title(self) -> str: ...

    @property
    def consequences(self) -> Sequence[str]:
        return ()

    @cached_property
    def dependents(self) -> Dependents:
        return dependents.list_dependents(
            self.request.db, self.user, self.request.now, group_id=self.group_id
        )

    def usual(self) -> Mapping[str, Any]:
        return {"seen": _fingerprint(self.dependents)}

    def confirmed(self, data: Mapping[str, Any]) -> bool:
        """Whether the page showed all of the current dependents."""
        return bool(data.get("seen") == _fingerprint(self.dependents))

    def write(self, data: Mapping[str, Any]) -> Any:
        more = {**self.call, "confirm": self.confirmed(data)}
        return self.context.service.delete(self.request.db, self.context.obj, **more)

    def values(self) -> Mapping[str, Any]:
        self.form.values["seen"] = _fingerprint(self.dependents)
        shown = _view(self.dependents, self.request.script_name, self.blocks)
        return {
            "title": self.title,
            "button": self.button,
            "verb": self.verb,
            "consequences": self.consequences,
            "found": shown,
            "blocked": any(each.blocking for each in shown),
        }


class MemberDeparture(DeparturePage):
    """Removes a member; the page of the group or team comes next."""

    verb, button = "Remove", "Remove"

    @property
    def page_node(self) -> Node:
        node: Node = self.context.__parent__.__parent__
        return node

    @property
    def user(self) -> User:
        user: User = self.context.obj.user
        return user

    @property
    def place(self) -> str:
        name: str = self.page_node.obj.name  # type: ignore[attr-defined]
        return name

    @property
    def title(self) -> str:
        return f"Remove {self.user.display_name} from {self.place}?"

    def finish(self, _result: Any) -> Any:
        flash(self.request, f"{self.user.display_name} removed from {self.place}.")
        return to_node(self.request, self.next_node())

    def next_node(self) -> Node:
        return self.page_node


@form_page(GroupMemberNode, "delete", Permission.DELETE, template=TEMPLATE)
class GroupMemberDeparture(MemberDeparture):
    blocks = frozenset({"rotations", "policies"})

    def next_node(self) -> Node:
        """Somebody who left the group no longer sees its page."""
        identity = self.request.identity
        hidden = self.user.id == identity.user_id and not identity.is_admin
        node: Node = self.context.root["groups"] if hidden else self.page_node
        return node

    def __init__(self, context: Any, request: Any) -> None:
        super().__init__(context, request)
        self.group_id = context.obj.group_id

    @property
    def consequences(self) -> Sequence[str]:
        return ("They lose access to the group and their roles in its teams.",)


@form_page(TeamMemberNode, "delete", Permission.DELETE, template=TEMPLATE)
class TeamMemberDeparture(MemberDeparture):
    """Only the role in the team goes, so nothing depends on it but open alerts."""

    @property
    def consequences(self) -> Sequence[str]:
        return (
            "They stay a member of the group.",
            "Open alerts that they may no longer answer page the person on call.",
        )

    @cached_property
    def dependents(self) -> Dependents:
        return Dependents((), (), (), (), ())

    def write(self, _data: Mapping[str, Any]) -> Any:
        return self.context.service.delete(self.request.db, self.context.obj, **self.call)


def _fingerprint(found: Dependents) -> str:
    return hashlib.sha256(json.dumps(asdict(found)).encode()).hexdigest()[:16]


def _view(found: Dependents, prefix: str, blocks: frozenset[str]) -> list[DependentGroup]:
    shown = []
    for kind, (title, outcome) in _KINDS.items():
        names = [str(name) for name in getattr(found, kind)]
        if names:
            links = [(_label(kind, each), _link(prefix, kind, each)) for each in names]
            shown.append(
                DependentGroup(
                    title=title,
                    outcome=_BLOCKS if kind in blocks else outcome,
                    links=links[:_MOST_LINKS],
                    more=max(0, len(links) - _MOST_LINKS),
                    blocking=kind in blocks,
                )
            )
    return shown


def _label(kind: str, name: str) -> str:
    if kind == "alerts":
        return f"#{name}"
    return " / ".join(name.split("/")[:3])


def _link(prefix: str, kind: str, name: str) -> str:
    if kind == "alerts":
        return f"{prefix}/alerts/{name}"
    group, team, *rest = name.split("/")
    path = f"{prefix}/groups/{group}/teams/{team}"
    if kind == "fallback_of":
        return f"{path}/edit"
    return f"{path}/{'policies' if kind == 'policies' else 'rotations'}/{rest[0]}"
