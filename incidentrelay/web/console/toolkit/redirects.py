"""Redirects, only ever to a path of this site."""

from typing import Any
from urllib.parse import unquote, urlencode

from pyramid.httpexceptions import HTTPSeeOther

from incidentrelay.domain.text import is_line
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.base import Node

_LONGEST = 2000


def local_path(text: object) -> str | None:
    """``text`` if it is a path (with query) of this site, otherwise None."""
    if not isinstance(text, str) or len(text) > _LONGEST:
        return None
    return text if all(_is_local(form) for form in (text, unquote(text))) else None


def _is_local(text: str) -> bool:
    if not text.startswith("/") or text.startswith("//") or "\\" in text:
        return False
    return is_line(text) and "//" not in text.partition("?")[0]


def see_other(request: Any, path: str, headers: Any = ()) -> HTTPSeeOther:
    """The answer to a form. Returned, never raised, so the transaction commits."""
    return HTTPSeeOther(location=path, headers=list(headers))


def to_node(request: Any, node: Node) -> HTTPSeeOther:
    return see_other(request, console_url(request, node))


def home(request: Any) -> str:
    return f"{request.script_name}/alerts"


def login_url(request: Any) -> str:
    """The sign-in page that leads back here; after a form, to the page of its node."""
    back = request.path_qs if request.method in {"GET", "HEAD"} else _page_of(request)
    query = f"?{urlencode({'next': back})}" if back and back != home(request) else ""
    return f"{request.script_name}/login{query}"


def _page_of(request: Any) -> str | None:
    context = getattr(request, "context", None)
    return console_url(request, context) if isinstance(context, Node) else None
