"""``@action_view``: a button that does one thing, confirms it, and leads back."""

import functools
from collections.abc import Callable
from typing import Any

from incidentrelay.domain.errors import DomainError
from incidentrelay.web.console.toolkit.errors import sentence
from incidentrelay.web.console.toolkit.flash import Kind, flash
from incidentrelay.web.console.toolkit.redirects import local_path, see_other, to_node
from incidentrelay.web.console.toolkit.view import View, attach_views, console_view
from incidentrelay.web.resources.base import Node

# The sentences of an action, each with its tone if it is not a success.
ActionMessages = str | list[tuple[str, Kind]]


class action_view(console_view):
    """``POST …/{name}``: calls a function that returns the sentences for the next page.

    A service's error becomes a sentence too, and nothing is written. The next page is
    ``next`` of the form, or ``back`` (a path of the console), or the page of the node.
    """

    def __init__(self, context: type[Node], name: str, permission: str, back: str = "") -> None:
        super().__init__(context=context, name=name, method="POST", permission=permission)
        self.back = back

    def __call__(self, act: Callable[[Any, Any], ActionMessages]) -> View:
        @functools.wraps(act)
        def view(context: Node, request: Any) -> Any:
            try:
                messages = act(context, request)
            except DomainError as error:
                request.tm.doom()
                messages = [(sentence(error), "error")]
            if isinstance(messages, str):
                messages = [(messages, "success")]
            for text, kind in messages:
                flash(request, text, kind)
            back = local_path(request.POST.get("next"))
            if back is None and not self.back:
                return to_node(request, context)
            return see_other(request, back or f"{request.script_name}/{self.back}")

        attach_views(view, lambda config: self.register(config, view))
        return view
