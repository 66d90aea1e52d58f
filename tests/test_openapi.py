"""The description of the API is true: every operation exists and answers as described."""

import re
from typing import Any

import pytest
from pyramid.security import NO_PERMISSION_REQUIRED

from incidentrelay.domain.permissions import Permission
from incidentrelay.web.api.toolkit.openapi import build_spec, operations
from tests.support import cast as standing_cast
from tests.support.client import Client
from tests.test_acl_matrix import world

__all__ = ["world"]

_IN_CORE = {
    "group": "sre",
    "team": "core",
    "rotation": "primary",
    "policy": "standard",
    "channel": "inbox",
    "route": "incoming",
    "source": "webhook",
}
_METHODS = {"get", "post", "patch", "put", "delete"}


@pytest.fixture
def spec(app: Any) -> dict[str, Any]:
    return build_spec(app.registry)


def address(path: str) -> str:
    """A path template with names of things that exist; in flat lists those of another team."""
    names = dict(_IN_CORE)
    if not path.startswith("/api/groups"):
        flat = ("team", "rotation", "policy", "channel", "route", "silence")
        names |= dict.fromkeys(flat, "2")
    names["username"] = "tara" if "/teams/" in path else "vera"
    # Everybody has a contact, in the order of the cast; root, who asks, has the first.
    names["contact"] = str(standing_cast.PEOPLE.index("vera") + 1) if "/users/" in path else "1"
    return re.sub(r"{(\w+)}", lambda found: names.get(found[1], "1"), path)


def test_every_view_says_what_it_does(app: Any) -> None:
    specs = app.registry["api_specs"]
    assert len(specs) > 20
    for spec in specs:
        assert spec.summary
        assert spec.permission
        public = spec.permission == NO_PERMISSION_REQUIRED
        own = spec.media != "application/json"
        assert spec.returns is not None or spec.status == 204 or public or own, spec


def test_every_api_view_uses_the_decorator(app: Any) -> None:
    views = [
        entry["introspectable"]
        for entry in app.registry.introspector.get_category("views")
        if entry["introspectable"]["route_name"] == "api"
        and not entry["introspectable"]["exception_only"]
    ]
    assert views
    assert all(view.get("api_spec") is not None for view in views)


def test_operation_ids_are_unique(spec: dict[str, Any]) -> None:
    ids = [
        operation["operationId"]
        for methods in spec["paths"].values()
        for name, operation in methods.items()
        if name in _METHODS
    ]
    assert len(ids) == len(set(ids))


def test_references_lead_somewhere(spec: dict[str, Any]) -> None:
    text = repr(spec)
    for name in re.findall(r"#/components/schemas/(\w+)", text):
        assert name in spec["components"]["schemas"]


def test_secrets_are_never_in_an_answer(spec: dict[str, Any]) -> None:
    user = spec["components"]["schemas"]["User"]["properties"]
    assert user["password"]["writeOnly"] is True
    assert "token" not in spec["components"]["schemas"]["Route"]["properties"]


def test_every_operation_answers_a_site_admin(
    app: Any, world: standing_cast.Cast, login_as: Any, spec: dict[str, Any]
) -> None:
    client = login_as("root")
    found = sorted(
        operations(app.registry["api_specs"]), key=lambda each: _order(each[2].method, each[0])
    )
    for path, _node_class, view in found:
        if "/me/tokens/{token}" in path or "/integrations/{" in path:
            continue
        where = address(path)
        if "/me/sessions/" in where:
            where = where.replace("/1", "/2") if view.method == "DELETE" else where
        answer = client.request(
            where,
            method=view.method,
            body=b"{}" if view.body else b"",
            content_type="application/json",
            expect_errors=True,
        )
        documented = spec["paths"][path][view.method.lower()]["responses"]
        if view.method == "DELETE" and answer.status_int == 404 and "sessions" in path:
            continue
        assert answer.status_int not in {404, 405, 500}, (view.method, where, answer.body)
        assert str(answer.status_int) in documented, (view.method, where, answer.body)
        _check_shape(spec, documented[str(answer.status_int)], answer)


@pytest.mark.parametrize("who", ["anonymous", "route"])
def test_operations_reject_anonymous_requests_and_route_tokens(
    app: Any, world: standing_cast.Cast, spec: dict[str, Any], who: str
) -> None:
    """Nobody gets 401, a route's token 404, whatever lies on the way to what is asked for."""
    client = Client(app, token=world.teams["core"].token if who == "route" else "")
    wrong = []
    for path, _node_class, view in operations(app.registry["api_specs"]):
        if view.permission in {NO_PERMISSION_REQUIRED, Permission.INGEST}:
            continue
        answer = client.request(
            address(path),
            method=view.method,
            body=b"{}" if view.body else b"",
            headers={"Authorization": "Bearer nobody"} if who == "anonymous" else None,
            content_type="application/json",
            expect_errors=True,
        )
        if answer.status_int != (401 if who == "anonymous" else 404):
            wrong.append((view.method, path, answer.status_int))
    assert wrong == []


def _order(method: str, path: str) -> tuple[int, int]:
    """Reading first; deleting last, from the leaves up."""
    return (["GET", "POST", "PATCH", "PUT", "DELETE"].index(method), -path.count("/"))


def _check_shape(spec: dict[str, Any], response: dict[str, Any], answer: Any) -> None:
    if answer.status_int == 204:
        assert answer.body == b""
        return
    ((media_type, content),) = response["content"].items()
    assert answer.content_type == media_type
    _check(spec, content["schema"], answer.json, "$")


def _check(spec: dict[str, Any], schema: dict[str, Any], value: Any, at: str) -> None:
    """That ``value`` has no field that is not described, and no wrong type."""
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    for part in schema.get("anyOf", ()):
        if part != {"type": "null"} and value is not None:
            _check(spec, part, value, at)
    types = schema.get("type")
    if types is not None:
        assert _fits(value, types if isinstance(types, list) else [types]), (at, value, schema)
    if isinstance(value, list):
        for index, entry in enumerate(value):
            _check(spec, schema.get("items", {}), entry, f"{at}[{index}]")
    if isinstance(value, dict) and "properties" in schema:
        for name, entry in value.items():
            assert name in schema["properties"], (at, name)
            _check(spec, schema["properties"][name], entry, f"{at}.{name}")


def _fits(value: Any, types: list[str]) -> bool:
    kinds = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "null": type(None),
    }
    return any(isinstance(value, kinds[name]) for name in types)


def test_the_description_is_public(testapp: Client) -> None:
    answer = testapp.get("/api/openapi.json")
    assert answer.json["openapi"] == "3.1.0"
    assert answer.content_type == "application/json"


@pytest.mark.parametrize(
    ("path", "tag"),
    [
        ("/api/groups/{group}", "groups"),
        ("/api/groups/{group}/teams/{team}/members/{username}", "members"),
        ("/api/groups/{group}/teams/{team}/routes/{route}/intake/{request}", "routes"),
        ("/api/groups/{group}/teams/{team}/rotations/{rotation}/oncall", "rotations"),
        ("/api/groups/{group}/teams/{team}/notifications", "notifications"),
        ("/api/alerts/{alert}/ack", "alerts"),
        ("/api/me/contacts", "me"),
        ("/api/users/{username}/contacts", "users"),
        ("/api/openapi.json", "root"),
    ],
)
def test_an_operation_has_the_tag_of_its_node(spec: dict[str, Any], path: str, tag: str) -> None:
    assert {tuple(each["tags"]) for each in spec["paths"][path].values()} == {(tag,)}
