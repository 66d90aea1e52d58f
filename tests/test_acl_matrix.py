"""Node × verb × cast against a table; and lists show exactly what one may view."""

from typing import Any

import pytest
from pyramid.request import Request
from pyramid.traversal import find_resource
from sqlalchemy import select

from incidentrelay.domain.permissions import Permission, Scope
from incidentrelay.web.resources.base import Item, Node
from incidentrelay.web.resources.collections import Collection, FlatCollection, walk
from incidentrelay.web.resources.root import Root
from tests.support import cast as standing_cast
from tests.support import factories

CORE = "/groups/sre/teams/core"

# Everybody in the table. "route" is the token of core's route.
PEOPLE = (*standing_cast.PEOPLE, "anonymous", "route")
ALL = frozenset({"root", "gail", "eddy", "rex", "vera", "mona", "tara", "otto"})
SRE = ALL - {"otto"}
RESPOND = frozenset({"root", "gail", "eddy", "rex", "mona", "tara"})
KEEP = frozenset({"root", "gail", "eddy", "mona"})
EDITORS = frozenset({"root", "gail", "eddy"})
OWNERS = frozenset({"root", "gail"})
ADMIN = frozenset({"root"})
NOBODY: frozenset[str] = frozenset()

_CONTENT = {"view": SRE, "create": KEEP, "edit": KEEP, "delete": KEEP, "test": KEEP}
_SILENCES = {"view": SRE, "create": RESPOND, "edit": RESPOND, "delete": RESPOND}
_MEMBERS = {"view": SRE, "create": KEEP, "edit": KEEP, "delete": KEEP, "members": KEEP}
_GROUP_MEMBERS = {"view": SRE, "create": OWNERS, "edit": OWNERS, "delete": OWNERS}
_ALERTS = {"view": SRE, "respond": RESPOND, "silence": RESPOND}
_DOOR = {"view": ALL, "create": ADMIN, "edit": ADMIN}
_OWN = {"view": ALL, "edit": ALL, "create": ALL, "delete": ALL, "members": ADMIN}
_READ_BELOW_ALERT = {"view": SRE, "respond": RESPOND, "create": EDITORS}

TABLE: dict[str, dict[str, frozenset[str]]] = {
    "/": {"view": ADMIN, "create": ADMIN, "ingest": NOBODY},
    "/groups": {"view": ALL, "create": ADMIN, "edit": ADMIN, "delete": ADMIN},
    "/groups/sre": {
        "view": SRE,
        "create": ADMIN,
        "edit": OWNERS,
        "delete": ADMIN,
        "members": OWNERS,
        "audit": OWNERS,
        "respond": ADMIN,
    },
    "/groups/sre/members": _GROUP_MEMBERS,
    "/groups/sre/members/rex": _GROUP_MEMBERS,
    "/groups/sre/audit": {"view": OWNERS, "edit": OWNERS},
    "/groups/sre/audit/1": {"view": OWNERS},
    "/groups/sre/teams": {"view": SRE, "create": EDITORS, "delete": EDITORS},
    CORE: {
        "view": SRE,
        "create": EDITORS,
        "edit": EDITORS,
        "delete": EDITORS,
        "members": EDITORS,
        "respond": RESPOND,
        "silence": RESPOND,
        "override": RESPOND,
    },
    f"{CORE}/members": _MEMBERS,
    f"{CORE}/members/tara": _MEMBERS,
    f"{CORE}/rotations": _CONTENT,
    f"{CORE}/rotations/primary": {**_CONTENT, "override": RESPOND},
    f"{CORE}/rotations/primary/overrides": {"view": SRE, "create": RESPOND, "test": KEEP},
    f"{CORE}/rotations/primary/overrides/1": {"view": SRE, "edit": RESPOND, "delete": RESPOND},
    f"{CORE}/policies": _CONTENT,
    f"{CORE}/policies/standard": _CONTENT,
    f"{CORE}/channels": _CONTENT,
    f"{CORE}/channels/inbox": _CONTENT,
    f"{CORE}/routes": _CONTENT,
    f"{CORE}/routes/incoming": {**_CONTENT, "ingest": NOBODY},
    f"{CORE}/routes/incoming/intake": {"view": SRE, "create": KEEP},
    f"{CORE}/routes/incoming/intake/1": {"view": SRE, "respond": RESPOND},
    f"{CORE}/silences": _SILENCES,
    f"{CORE}/silences/1": _SILENCES,
    f"{CORE}/alerts": {**_ALERTS, "create": EDITORS},
    f"{CORE}/alerts/1": {**_ALERTS, "edit": EDITORS, "delete": EDITORS},
    f"{CORE}/alerts/1/events": _READ_BELOW_ALERT,
    f"{CORE}/alerts/1/events/1": _READ_BELOW_ALERT,
    f"{CORE}/alerts/1/signals": _READ_BELOW_ALERT,
    f"{CORE}/alerts/1/signals/1": _READ_BELOW_ALERT,
    f"{CORE}/alerts/1/notifications": _READ_BELOW_ALERT,
    f"{CORE}/alerts/1/notifications/1": _READ_BELOW_ALERT,
    f"{CORE}/notifications": {"view": SRE, "respond": RESPOND, "create": EDITORS},
    f"{CORE}/notifications/1": {"view": SRE, "respond": RESPOND, "delete": EDITORS},
    "/notifications": {**_DOOR, "respond": ADMIN},
    "/alerts": {**_DOOR, "respond": ALL},
    "/silences": _DOOR,
    "/rotations": _DOOR,
    "/policies": _DOOR,
    "/routes": _DOOR,
    "/channels": _DOOR,
    "/teams": _DOOR,
    "/users": {"view": ADMIN, "create": ADMIN, "edit": ADMIN, "delete": ADMIN},
    "/users/vera": {"view": ADMIN, "edit": ADMIN, "delete": ADMIN},
    "/users/vera/contacts": {"view": ADMIN, "create": ADMIN},
    f"/users/vera/contacts/{standing_cast.PEOPLE.index('vera') + 1}": {"view": ADMIN},
    "/me": _OWN,
    "/me/tokens": _OWN,
    "/me/tokens/1": _OWN,
    "/me/feeds": _OWN,
    "/me/feeds/1": _OWN,
    "/me/sessions": _OWN,
    "/me/sessions/1": _OWN,
    "/me/contacts": _OWN,
    "/me/contacts/1": _OWN,
    "/me/rules": _OWN,
    "/me/rules/high": _OWN,
    "/integrations": {"view": ALL, "create": ADMIN},
    "/integrations/webhook": {"view": ADMIN, "ingest": frozenset({"route"})},
    "/oncall": {"view": ALL, "edit": ADMIN},
    "/calendar": {"view": ALL, "edit": ADMIN},
    "/reports": {"edit": ADMIN},
    "/reports/on-call": {"view": ALL, "edit": ADMIN},
    "/reports/on-call.csv": {"view": ALL, "edit": ADMIN},
    "/first-steps": {"view": ALL, "edit": ADMIN},
    "/simulate": {"view": ALL, "respond": ALL, "edit": ADMIN},
    "/audit": {"view": ADMIN, "audit": ADMIN},
    "/audit/1": {"view": ADMIN, "audit": ADMIN},
}


class Asker:
    """Requests of one person, as views get them."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.made: list[Any] = []

    def __call__(self, *, cookie: str = "", token: str = "") -> Any:
        request = Request.blank("/api/", environ={"REMOTE_ADDR": "127.0.0.1"})
        if cookie:
            request.headers["Cookie"] = f"incidentrelay={cookie}"
        if token:
            request.headers["Authorization"] = f"Bearer {token}"
        request.registry = self.app.registry
        self.app.request_extensions and _extend(request, self.app)
        request.tm.begin()
        self.made.append(request)
        return request

    def close(self) -> None:
        for request in self.made:
            request.tm.abort()
            request._process_finished_callbacks()


def _extend(request: Any, app: Any) -> None:
    from pyramid.request import apply_request_extensions

    apply_request_extensions(request, app.request_extensions)


@pytest.fixture
def asker(app: Any) -> Any:
    asker = Asker(app)
    yield asker
    asker.close()


@pytest.fixture
def world(database: Any, cast: standing_cast.Cast) -> standing_cast.Cast:
    """The cast, with a row for every node of the tree that is made by events only."""
    from incidentrelay import models

    with database.write() as session:
        core = cast.teams["core"]
        factories.event(session, core.alert)
        factories.notification(session, core.alert)
        for name in cast.cookies:
            factories.feed(session, cast.users[name])
        session.add(
            models.IntakeRequest(
                route_id=core.route.id, received_at=factories.NOW, body=b"{}", outcomes=[]
            )
        )
        session.add(
            models.AuditEntry(
                at=factories.NOW,
                group_id=cast.groups["sre"].id,
                actor="gail",
                action="create",
                subject_kind="team",
                subject="core",
                diff={},
            )
        )
    return cast


def ask(asker: Asker, world: standing_cast.Cast, name: str) -> Any:
    if name == "anonymous":
        return asker()
    if name == "route":
        return asker(token=world.teams["core"].token)
    return asker(cookie=world.cookies[name])


def find(request: Any, path: str, world: standing_cast.Cast, name: str) -> Node:
    """The node at ``path``; what is somebody's own is looked up as their own."""
    for kind in ("sessions", "feeds", "contacts"):
        path = path.replace(f"/me/{kind}/1", f"/me/{kind}/{_own(request, world, name)}")
    node = find_resource(Root(request), path)
    assert isinstance(node, Node)
    return node


def _own(request: Any, world: standing_cast.Cast, name: str) -> int:
    return list(world.cookies).index(name) + 1 if name in world.cookies else 1


def test_the_table_has_a_row_for_every_node_of_the_tree() -> None:
    classes = {node_class for _, node_class in walk(Root)}
    known = {_class_at(path) for path in TABLE}
    assert classes - known == set()


def _class_at(path: str) -> type[Node]:
    node_class: type[Node] = Root
    for part in filter(None, path.split("/")):
        branches = dict(node_class.branches())
        node_class = branches.get(part) or next(
            child for segment, child in branches.items() if segment.startswith("{")
        )
    return node_class


@pytest.mark.parametrize("name", PEOPLE)
def test_everybody_may_do_what_the_table_says(
    asker: Asker, world: standing_cast.Cast, name: str
) -> None:
    request = ask(asker, world, name)
    wrong = []
    for path, verbs in TABLE.items():
        if path.startswith("/me") and (name in {"anonymous", "route"} or path == "/me/tokens/1"):
            continue
        node = find(request, path, world, name)
        for verb, allowed in verbs.items():
            may = bool(request.has_permission(Permission(verb), node))
            if may != (name in allowed):
                wrong.append(f"{name} {'may' if may else 'may not'} {verb} {path}")
    assert wrong == []


@pytest.mark.parametrize("name", [*standing_cast.PEOPLE, "anonymous", "route"])
def test_lists_contain_exactly_what_the_user_may_view(
    asker: Asker, world: standing_cast.Cast, name: str
) -> None:
    request = ask(asker, world, name)
    root = Root(request)
    flat = [
        (path, cls)
        for path, cls in walk(Root)
        if issubclass(cls, FlatCollection) or path == "/groups"
    ]
    assert len(flat) == 9
    for path, _ in flat:
        _listed_is_viewable(request, find_resource(root, path))


def test_lists_contain_exactly_what_a_bound_token_may_view(
    asker: Asker, world: standing_cast.Cast, database: Any
) -> None:
    from incidentrelay.services.access.secrets import new_token

    token = new_token("u")
    with database.write() as session:
        factories.api_token(
            session, world.users["root"], token, tuple(Scope), group_id=world.groups["apps"].id
        )
    request = asker(token=token)
    root = Root(request)
    teams = request.db.scalars(root["teams"].listing()).unique().all()
    assert [team.slug for team in teams] == ["web"]
    flat = ("alerts", "teams", "routes", "channels", "silences", "rotations", "policies")
    for path in ("/groups", *(f"/{name}" for name in flat)):
        _listed_is_viewable(request, find_resource(root, path))
    assert not request.has_permission(Permission.VIEW, find_resource(root, "/users"))
    assert not request.has_permission(Permission.VIEW, find_resource(root, "/audit"))
    assert not request.has_permission(Permission.VIEW, find_resource(root, "/me"))


def _listed_is_viewable(request: Any, collection: Collection) -> None:
    everything = request.db.scalars(collection.statement()).unique().all()
    listed = {row.id for row in request.db.scalars(collection.listing()).unique()}
    viewable = {
        row.id
        for row in everything
        if request.has_permission(Permission.VIEW, collection.wrap(row))
    }
    assert everything
    assert listed == viewable


_NOT_OF_TOKENS = (
    "/me/tokens/",
    "/me/sessions/",
    "/me/feeds/",
    "/me/contacts/",
    "/integrations/webhook",
)


@pytest.mark.parametrize("scope", Scope)
def test_a_token_may_do_what_its_scope_says_and_no_more_than_its_owner(
    asker: Asker, world: standing_cast.Cast, scope: Scope
) -> None:
    request = asker(token=world.tokens[scope])
    domain, kind = scope.split(":")
    for path, verbs in TABLE.items():
        if path.startswith(_NOT_OF_TOKENS):
            continue
        node = find_resource(Root(request), path)
        for verb, allowed in verbs.items():
            permission = node.verb(Permission(verb))
            reading = permission in {Permission.VIEW, Permission.AUDIT}
            fits = node.scope_domain == domain and reading == (kind == "read")
            may = bool(request.has_permission(Permission(verb), node))
            assert may == (fits and "gail" in allowed), (scope, verb, path)


@pytest.mark.parametrize("scope", Scope)
def test_only_alerts_write_lets_a_personal_token_send(
    asker: Asker, world: standing_cast.Cast, scope: Scope
) -> None:
    request = asker(token=world.tokens[scope])
    node = find_resource(Root(request), "/integrations/webhook")
    may = request.has_permission(Permission.INGEST, node)
    assert bool(may) == (scope == Scope.ALERTS_WRITE)


def test_flat_collections_lead_to_the_same_nodes(asker: Asker, world: standing_cast.Cast) -> None:
    request = ask(asker, world, "rex")
    root = Root(request)
    for noun in ("alerts", "silences"):
        behind = find_resource(root, f"/{noun}/1")
        inside = find_resource(root, f"{CORE}/{noun}/1")
        assert isinstance(behind, Item)
        assert request.resource_path(behind) == request.resource_path(inside)


def test_a_nested_address_must_be_consistent(asker: Asker, world: standing_cast.Cast) -> None:
    request = ask(asker, world, "root")
    foreign = world.teams["web"].alert.id
    for path in (f"{CORE}/alerts/{foreign}", "/groups/apps/teams/core", "/groups/sre/teams/web"):
        with pytest.raises(KeyError):
            find_resource(Root(request), path)


def test_inactive_people_groups_and_outsiders_roles_grant_nothing(
    asker: Asker, world: standing_cast.Cast, database: Any
) -> None:
    from incidentrelay.models import Group, GroupMember, User

    with database.write() as session:
        session.get_one(User, world.users["vera"].id).active = False
        session.get_one(Group, world.groups["apps"].id).active = False
        mona = world.users["mona"].id
        session.delete(session.scalars(select(GroupMember).filter_by(user_id=mona)).one())
    assert asker(cookie=world.cookies["vera"]).identity is None
    otto = asker(cookie=world.cookies["otto"]).identity
    assert (dict(otto.groups), dict(otto.teams)) == ({}, {})
    mona_now = asker(cookie=world.cookies["mona"]).identity
    assert (dict(mona_now.groups), dict(mona_now.teams)) == ({}, {})
    assert asker(token=world.teams["web"].token).identity is None
