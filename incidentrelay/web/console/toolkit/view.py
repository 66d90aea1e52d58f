"""``@console_view``: one way to register pages and forms."""

from collections.abc import Callable
from typing import Any

import venusian

from incidentrelay.web.resources.base import Node

View = Callable[[Any, Any], Any]


class console_view:
    """Registers a function ``view(context, request)`` for the HTML face.

    ``template`` renders what it returns; ``fragment`` renders the live part of the page
    alone. ``csrf`` is False for URLs that authorize by themselves.
    """

    def __init__(
        self,
        *,
        context: type[Node],
        permission: str,
        name: str = "",
        method: str = "GET",
        template: str | None = None,
        fragment: str | None = None,
        subpath: bool = False,
        csrf: bool = True,
    ) -> None:
        self.template, self.fragment = template, fragment
        self.options: dict[str, Any] = {
            "context": context,
            "name": name,
            "request_method": method,
            "permission": permission,
            "require_csrf": csrf,
            "no_subpath": not subpath,
            "browser": True,
        }

    def __call__(self, view: View) -> View:
        attach_views(view, lambda config: self.register(config, view))
        return view

    def register(self, config: Any, view: View) -> None:
        config.add_view(view, renderer=_renderer(self.template), **self.options)
        if self.fragment:
            renderer, header = _renderer(self.fragment), "HX-Request:true"
            config.add_view(view, renderer=renderer, header=header, **self.options)


def attach_views(declared: Any, register: Callable[[Any], None]) -> None:
    """Call ``register(config)`` when the scan finds ``declared``, a name in a module."""

    def attach(scanner: Any, _name: str, _declared: Any) -> None:
        register(scanner.config)

    # The frame of the module is two calls up: above this function and above the decorator.
    venusian.attach(declared, attach, category="pyramid", depth=2)


def _renderer(template: str | None) -> str | None:
    return f"incidentrelay:templates/{template}" if template else None


class Browser:
    """View predicate: the request came with a cookie or nothing, never with a token.

    Tokens are for the API, which enforces their scopes.
    """

    def __init__(self, wanted: bool, _info: Any) -> None:
        self.wanted = wanted

    def text(self) -> str:
        return f"browser = {self.wanted}"

    phash = text

    def __call__(self, _context: Any, request: Any) -> bool:
        return ("Authorization" not in request.headers) is self.wanted


def includeme(config: Any) -> None:
    config.add_view_predicate("browser", Browser)
