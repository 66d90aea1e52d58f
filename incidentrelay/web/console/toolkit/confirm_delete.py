"""``@confirm_delete``: a confirmation page, and the deletion."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from incidentrelay.domain.errors import DomainError
from incidentrelay.domain.permissions import Permission
from incidentrelay.web.console.toolkit import nav
from incidentrelay.web.console.toolkit.actors import actor
from incidentrelay.web.console.toolkit.errors import sentence
from incidentrelay.web.console.toolkit.flash import flash
from incidentrelay.web.console.toolkit.redirects import see_other, to_node
from incidentrelay.web.console.toolkit.view import attach_views, console_view
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.base import Deletable, Node


@dataclass(frozen=True, slots=True)
class DeleteQuestion:
    """``page`` is the node whose page leads here; "Cancel" goes back to it.

    ``done`` is flashed afterwards, on the page at ``path``, or on that of ``page`` if it is "".
    ``seen`` is sent along: what the answer is about. ``extras`` are further arguments of
    ``service.delete``.
    """

    page: Node
    title: str
    consequences: Sequence[str]
    button: str
    done: str
    path: str = ""
    seen: Mapping[str, str] = field(default_factory=dict)
    extras: Mapping[str, Any] = field(default_factory=dict)


Ask = Callable[[Any, Any], DeleteQuestion]


class confirm_delete:
    """Registers ``…/delete`` of a node: GET asks, POST calls ``service.delete``."""

    def __init__(self, context: type[Deletable]) -> None:
        self.options: dict[str, Any] = {
            "context": context,
            "name": "delete",
            "permission": Permission.DELETE,
        }

    def __call__(self, ask: Ask) -> Ask:
        def show(context: Deletable, request: Any) -> dict[str, Any]:
            return _page(request, ask(context, request))

        def delete(context: Deletable, request: Any) -> Any:
            # Asked before the deletion, because the sentence afterwards names it.
            return _delete(context, request, ask(context, request))

        def register(config: Any) -> None:
            template = "confirm_delete.jinja2"
            console_view(**self.options, template=template).register(config, show)
            console_view(**self.options, method="POST").register(config, delete)

        attach_views(ask, register)
        return ask


def _page(request: Any, question: DeleteQuestion) -> dict[str, Any]:
    return {
        "crumbs": nav.list_breadcrumbs(request, question.page),
        "title": question.title,
        "question": question,
        "back": console_url(request, question.page),
    }


def _delete(context: Deletable, request: Any, question: DeleteQuestion) -> Any:
    try:
        context.service.delete(
            request.db, context.obj, actor=actor(request), now=request.now, **question.extras
        )
    except DomainError as error:
        request.tm.doom()
        flash(request, sentence(error), "error")
        return to_node(request, question.page)
    flash(request, question.done)
    if question.path:
        return see_other(request, f"{request.script_name}/{question.path}")
    return to_node(request, question.page)
