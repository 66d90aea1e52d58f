"""``@api_view``: declares a view and its documentation in one place.

The options are used twice: by the deriver below, which loads input and dumps output, and
by :mod:`incidentrelay.web.api.toolkit.openapi`. A schema is a class, or the name of an
attribute of the node class.
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import venusian
from marshmallow import Schema, ValidationError
from pyramid.exceptions import ConfigurationError
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.viewderivers import VIEW

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.web.api.toolkit import bodies, representations
from incidentrelay.web.api.toolkit.dumping import dumper
from incidentrelay.web.errors import flatten
from incidentrelay.web.resources.base import Item, Node
from incidentrelay.web.resources.collections import Collection
from incidentrelay.web.schemas.base import shown_instant

SchemaOption = type[Schema] | str | None


@dataclass(frozen=True)
class Spec:
    """The options of one view. ``partial`` bodies merge; ``page`` views return a page.

    ``searched`` pages may stop before the list ends; they also return the time of that.

    ``media`` is the content type of views that return a response instead of JSON. ``dumped``
    views return plain values or dataclasses of the schema's shape, which is not applied.
    """

    context: type[Node]
    method: str
    permission: str
    summary: str
    name: str = ""
    body: SchemaOption = None
    partial: bool = False
    query: type[Schema] | None = None
    returns: SchemaOption = None
    many: bool = False
    page: bool = False
    searched: bool = False
    dumped: bool = False
    status: int = 200
    media: str = "application/json"
    errors: tuple[int, ...] = ()
    view: Callable[[Any, Any], Any] | None = None


class api_view:
    """Register a function ``view(context, request)`` for the API.

    The loaded body is ``request.body_data``, the loaded query ``request.query``.
    """

    def __init__(self, **options: Any) -> None:
        for name in ("context", "method", "permission", "summary"):
            if not options.get(name):
                raise ConfigurationError(f"An API view needs {name}.")
        self.spec = Spec(**options)

    def __call__(self, view: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def attach(scanner: Any, _name: str, _view: Any) -> None:
            scanner.config.add_api_view(view, self.spec)

        venusian.attach(view, attach, category="pyramid")
        return view


def add_api_view(config: Any, view: Any, spec: Spec) -> None:
    """The directive behind ``@api_view``."""
    config.add_view(
        view,
        context=spec.context,
        name=spec.name,
        request_method=spec.method,
        permission=spec.permission,
        route_name="api",
        renderer="api",
        no_subpath=True,
        api_spec=spec,
    )
    specs: list[Spec] = config.registry["api_specs"]
    specs.append(spec)


def schema_class(option: SchemaOption, node_class: type[Any]) -> type[Schema] | None:
    """The schema that an option names for a node class."""
    if isinstance(option, str):
        node_class = node_class.item if issubclass(node_class, Collection) else node_class
        found: type[Schema] = getattr(node_class, option)
        return found
    return option


def marshal(view: Any, info: Any) -> Any:
    """The view deriver that applies the schemas."""
    spec: Spec | None = info.options.get("api_spec")
    if spec is None:
        return view

    def marshalled(context: Any, request: Any) -> Any:
        if spec.query is not None:
            request.query = _load(spec.query(), request.GET.mixed())
        if spec.body is not None:
            schema = schema_class(spec.body, type(context))
            data = bodies.json_body(request)
            request.body_data = _load(schema(partial=spec.partial or _fixed(context)), data)  # type: ignore[misc]
        result = view(context, request)
        request.response.status_int = spec.status
        if spec.status == HTTPStatus.NO_CONTENT:
            del request.response.content_type
            return request.response
        return _dump(spec, context, request, result)

    return marshalled


marshal.options = ("api_spec",)  # type: ignore[attr-defined]


def _fixed(context: Any) -> Any:
    """Fields that a replacing body may omit, because they never change."""
    return getattr(context, "fixed", ()) or None


def _load(schema: Schema, data: Any) -> Any:
    try:
        return schema.load(data)
    except ValidationError as error:
        messages = error.normalized_messages()  # type: ignore[no-untyped-call]
        raise InvalidInput(flatten(messages)) from None


def _dump(spec: Spec, context: Any, request: Any, result: Any) -> Any:
    returned = schema_class(spec.returns, type(context))
    if returned is None or spec.dumped:
        return result
    dump = dumper(returned)
    one = representations.item if _is_items(result) else representations.plain
    if spec.page:
        rows, cursor, *stopped = result
        one = representations.item if _is_items(rows) else representations.plain
        shown = {"items": [one(request, dump, row) for row in rows], "next": cursor}
        return {**shown, "searched_to": shown_instant(stopped[0])} if spec.searched else shown
    if spec.many:
        return [one(request, dump, row) for row in result]
    return one(request, dump, result)


def _is_items(result: Any) -> bool:
    return isinstance(result[0] if isinstance(result, list) and result else result, Item)


@dataclass(frozen=True)
class Methods:
    """The methods of a URL; ``public`` if anyone may know them."""

    names: frozenset[str]
    public: bool

    def __bool__(self) -> bool:
        return bool(self.names)


class MethodTable:
    """The methods of each node, for ``Allow``."""

    def __init__(self, specs: list[Spec]) -> None:
        self._specs = specs

    def __call__(self, context: Any, name: str) -> Methods:
        fits = [s for s in self._specs if isinstance(context, s.context) and s.name == name]
        names = {spec.method for spec in fits}
        public = any(spec.permission == NO_PERMISSION_REQUIRED for spec in fits)
        return Methods(frozenset(names | ({"HEAD"} if "GET" in names else set())), public)


class NoSubpath:
    """View predicate: no path remains after the view's name."""

    def __init__(self, wanted: bool, _info: Any) -> None:
        self.wanted = wanted

    def text(self) -> str:
        return f"no_subpath = {self.wanted}"

    phash = text

    def __call__(self, _context: Any, request: Any) -> bool:
        return not request.subpath if self.wanted else True


def includeme(config: Any) -> None:
    config.registry["api_specs"] = []
    config.registry["api_methods"] = MethodTable(config.registry["api_specs"])
    config.add_directive("add_api_view", add_api_view)
    config.add_view_predicate("no_subpath", NoSubpath)
    config.add_view_deriver(marshal, under="rendered_view", over=VIEW)
