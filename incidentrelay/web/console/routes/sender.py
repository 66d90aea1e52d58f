"""How to set up the sender of a route: its URL, and snippets to paste."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.response import FileResponse

from incidentrelay.domain.errors import NotFound
from incidentrelay.domain.permissions import Permission
from incidentrelay.integrations.base import DescribesSender, SenderSnippet
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.intake.routes import RouteNode


@dataclass(frozen=True, slots=True)
class SnippetView:
    """A snippet; ``url`` is where its file is downloaded, or None."""

    title: str
    where: str
    text: str
    url: str | None


@dataclass(frozen=True, slots=True)
class SenderView:
    intake_url: str
    snippets: Sequence[SnippetView]


def label_of(request: Any, source: str) -> str:
    """The source's title; its name if its package is no longer installed."""
    try:
        label: str = request.registry["integrations"].get(source).info.label
    except NotFound:
        return source
    return label


def describe(context: RouteNode, request: Any, token: str) -> SenderView:
    url = console_url(request, context)
    snippets = [
        SnippetView(
            each.title,
            each.where,
            each.text,
            f"{url}/download/{each.file.name}" if each.file else None,
        )
        for each in _snippets(context, request, token)
    ]
    return SenderView(_intake_url(context), snippets)


def _intake_url(context: RouteNode) -> str:
    url: str = context.details()["intake_url"]
    return url


def _snippets(context: RouteNode, request: Any, token: str) -> Sequence[SenderSnippet]:
    try:
        integration = request.registry["integrations"].get(context.obj.source)
    except NotFound:
        return ()
    if not isinstance(integration, DescribesSender):
        return ()
    return integration.snippets(_intake_url(context), token)


@console_view(context=RouteNode, name="download", permission=Permission.VIEW, subpath=True)
def download(context: RouteNode, request: Any) -> Any:
    for snippet in _snippets(context, request, ""):
        if snippet.file is not None and request.subpath == (snippet.file.name,):
            response = FileResponse(str(snippet.file), request, content_type="application/yaml")
            response.content_disposition = f"attachment; filename={snippet.file.name}"
            return response
    return HTTPNotFound()
