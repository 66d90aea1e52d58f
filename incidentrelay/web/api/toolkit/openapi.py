"""Builds the OpenAPI 3.1 document from the tree and the options of the views."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_cls
from marshmallow import Schema, fields
from pyramid.security import NO_PERMISSION_REQUIRED

from incidentrelay import __version__
from incidentrelay.domain.permissions import Permission, scope_needed
from incidentrelay.web.api.toolkit.errors import MEDIA_TYPE
from incidentrelay.web.api.toolkit.view import Spec, schema_class
from incidentrelay.web.resources.base import Node
from incidentrelay.web.resources.collections import walk
from incidentrelay.web.resources.root import Root
from incidentrelay.web.schemas.tenancy.dependents import DependentsSchema

_CACHE = "openapi"
_ERROR_TEXTS = {
    400: "The CSRF token is missing or wrong (browsers only).",
    401: "The request has no valid token or session.",
    403: "You may view this, but not do that.",
    404: "It does not exist, or you may not see it.",
    409: "The current state does not allow it.",
    412: "It has changed since you read it.",
    413: "The body is too large.",
    415: "The body is not uncompressed JSON.",
    422: "Some values are invalid; see `errors`.",
    503: "Temporarily unavailable; see Retry-After.",
}


class ProblemSchema(Schema):
    """RFC 9457. The server's log contains ``error_id``."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    error_id = fields.String(required=True)
    request_id = fields.String(required=True)
    errors = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))
    routing_error = fields.String()
    dependents = fields.Nested(DependentsSchema)


def build_spec(registry: Any) -> dict[str, Any]:
    """Describe every operation; cached per process."""
    if _CACHE not in registry:
        registry[_CACHE] = _build(registry["api_specs"])
    spec: dict[str, Any] = registry[_CACHE]
    return spec


def operations(specs: list[Spec]) -> Iterator[tuple[str, type[Node], Spec]]:
    """Every (path, node class, view), for each URL and method."""
    for path, node_class in walk(Root):
        chosen: dict[tuple[str, str], Spec] = {}
        for spec in specs:
            if not issubclass(node_class, spec.context):
                continue
            key = (spec.name, spec.method)
            if key not in chosen or _nearer(node_class, spec, chosen[key]):
                chosen[key] = spec
        for (name, _method), spec in sorted(chosen.items()):
            yield f"/api{path}" + (f"/{name}" if name else ""), node_class, spec


def _nearer(node_class: type[Node], spec: Spec, other: Spec) -> bool:
    order = node_class.__mro__
    return order.index(spec.context) < order.index(other.context)


def _build(specs: list[Spec]) -> dict[str, Any]:
    plugin = MarshmallowPlugin(schema_name_resolver=_schema_name)
    document = APISpec(
        title="IncidentRelay",
        version=__version__,
        openapi_version="3.1.0",
        info={"description": "On-call routing, alert delivery and escalation."},
        plugins=[plugin],
        security=[{"token": []}, {"session": []}],
    )
    document.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    document.components.security_scheme(
        "session", {"type": "apiKey", "in": "cookie", "name": "incidentrelay"}
    )
    document.components.schema("Problem", schema=ProblemSchema)
    tags = _node_tags()
    for path, node_class, spec in operations(specs):
        operation = _operation(path, _tag(path, tags), node_class, spec)
        document.path(path=path, operations={spec.method.lower(): operation})
    built: dict[str, Any] = document.to_dict()
    return built


def _schema_name(schema: Any) -> str:
    name = resolve_schema_cls(schema).__name__.removesuffix("Schema")  # type: ignore[union-attr]
    return f"{name}Patch" if getattr(schema, "partial", None) is True else name


def _operation(path: str, tag: str, node_class: type[Node], spec: Spec) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(path, spec),
        "summary": spec.summary,
        "tags": [tag],
        "parameters": _parameters(path, spec),
        "responses": _responses(node_class, spec),
    }
    if spec.permission == NO_PERMISSION_REQUIRED:
        operation["security"] = []
    else:
        operation["description"] = _needs(node_class, spec)
    body = _body(node_class, spec)
    if body is not None:
        operation["requestBody"] = body
    return operation


def _needs(node_class: type[Node], spec: Spec) -> str:
    permission = node_class.verbs.get(Permission(spec.permission), Permission(spec.permission))
    domain = node_class.scope_domain
    if permission is Permission.INGEST:
        return "Requires a route token, or a personal token with the scope `alerts:write`."
    token = f"a token needs the scope `{scope_needed(domain, permission)}`" if domain else ""
    return f"Needs the permission `{permission}`" + (f"; {token}." if token else ".")


def _operation_id(path: str, spec: Spec) -> str:
    words = re.findall(r"[a-z0-9]+", path.removeprefix("/api"))
    return "_".join([spec.method.lower(), *(words or ["root"])])


def _node_tags() -> dict[str, str]:
    """The tag of each path in the tree: its node's, else its parent's."""
    tags: dict[str, str] = {}
    for path, node_class in walk(Root):
        tags[path] = node_class.tag or tags[path.rpartition("/")[0]]
    return tags


def _tag(path: str, tags: dict[str, str]) -> str:
    place = path.removeprefix("/api")
    return tags[place] if place in tags else tags[place.rpartition("/")[0]]


def _parameters(path: str, spec: Spec) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"in": "path", "name": name, "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]
    if spec.query is not None:
        parameters.append({"in": "query", "schema": spec.query})
    if 412 in spec.errors:
        parameters.append({"in": "header", "name": "If-Match", "schema": {"type": "string"}})
    return parameters


def _body(node_class: type[Node], spec: Spec) -> dict[str, Any] | None:
    if spec.permission == Permission.INGEST:
        schema: Any = {}
    else:
        found = schema_class(spec.body, node_class)
        if found is None:
            return None
        schema = found(partial=True) if spec.partial else found
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _responses(node_class: type[Node], spec: Spec) -> dict[str, Any]:
    good: dict[str, Any] = {"description": HTTPStatus(spec.status).phrase}
    if spec.status != HTTPStatus.NO_CONTENT:
        good["content"] = {spec.media: {"schema": _answer(node_class, spec)}}
    problem = {MEDIA_TYPE: {"schema": ProblemSchema}}
    return {
        str(spec.status): good,
        **{
            str(status): {"description": _ERROR_TEXTS[status], "content": problem}
            for status in sorted(_errors(spec))
        },
    }


def _errors(spec: Spec) -> set[int]:
    common = set() if spec.permission == NO_PERMISSION_REQUIRED else {401, 403, 404}
    csrf = {400} if spec.method not in {"GET", "HEAD"} else set()
    return common | csrf | {503} | set(spec.errors)


def _answer(node_class: type[Node], spec: Spec) -> Any:
    found = schema_class(spec.returns, node_class)
    if found is None:
        return {"type": "object" if spec.media == "application/json" else "string"}
    if spec.page:
        properties: dict[str, Any] = {
            "items": {"type": "array", "items": found},
            "next": {"type": ["string", "null"]},
        }
        if spec.searched:
            properties["searched_to"] = {"type": ["string", "null"], "format": "date-time"}
        return {"type": "object", "required": list(properties), "properties": properties}
    return {"type": "array", "items": found} if spec.many else found
