"""Errors of the API: problem documents (RFC 9457)."""

import logging
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from pyramid.httpexceptions import HTTPException, HTTPUnauthorized
from pyramid.response import Response
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError

from incidentrelay import db
from incidentrelay.domain import errors as domain
from incidentrelay.domain.permissions import Permission
from incidentrelay.web.api.toolkit import json
from incidentrelay.web.errors import LOCKED, STATUSES
from incidentrelay.web.resources.base import Node

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


def problem(
    request: Any, status: int, detail: str, *, headers: dict[str, str] | None = None, **more: Any
) -> Response:
    """Build a problem document, and log its ``error_id``."""
    error_id = uuid4().hex
    log.info(
        "Answered %s: %s", status, detail, extra={"error_id": error_id, "request_id": request.id}
    )
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "error_id": error_id,
        "request_id": request.id,
        **more,
    }
    response = Response(json.encode(document), status=status, content_type=MEDIA_TYPE)
    response.headers.update(headers or {})
    return response


def domain_error(error: domain.DomainError, request: Any) -> Response:
    status = next(status for kind, status in STATUSES if isinstance(error, kind))
    headers: dict[str, str] = {}
    more: dict[str, Any] = {}
    if isinstance(error, domain.InvalidInput):
        more["errors"] = error.errors
        if hasattr(error, "routing_error"):
            more["routing_error"] = error.routing_error
    if isinstance(error, domain.HasDependents):
        more["dependents"] = error.dependents
    if isinstance(error, domain.Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    return problem(request, status, error.message, headers=headers, **more)


def http_error(error: HTTPException, request: Any) -> Response:
    """HTTP errors raised by views: body too large, wrong media type, bad CSRF token."""
    if error.status_int < HTTPStatus.BAD_REQUEST:
        return error
    detail = error.detail or error.explanation or HTTPStatus(error.status_int).phrase
    kept = {"Allow", "Retry-After", "WWW-Authenticate"}
    headers = {name: value for name, value in error.headers.items() if name in kept}
    return problem(request, error.status_int, detail, headers=headers)


def unauthorized_error() -> HTTPUnauthorized:
    return HTTPUnauthorized(
        "Sign in, or send a valid token.",
        headers={"WWW-Authenticate": 'Bearer realm="IncidentRelay"'},
    )


def unauthorized(request: Any) -> Response:
    return http_error(unauthorized_error(), request)


def forbidden(error: Any, request: Any) -> Response:
    """401 if anonymous, 404 if the user may not even view it, else 403."""
    if request.identity is None:
        return unauthorized(request)
    if not _may_view(request):
        return not_found_problem(request)
    reason = getattr(getattr(error, "result", None), "msg", "")
    detail = reason if reason.startswith("The token ") else "You may not do this here."
    return problem(request, HTTPStatus.FORBIDDEN, detail)


def not_found(_error: Any, request: Any) -> Response:
    """404, or 405 with Allow if the URL exists for other methods."""
    context = getattr(request, "context", None)
    methods = request.registry["api_methods"](context, getattr(request, "view_name", ""))
    if getattr(request, "subpath", ()) or not methods:
        return not_found_problem(request)
    hint = getattr(context, "method_hint", "")
    if not hint and not methods.public and not _may_view(request):
        return unauthorized(request) if request.identity is None else not_found_problem(request)
    return problem(
        request,
        HTTPStatus.METHOD_NOT_ALLOWED,
        f"{request.method} is not allowed here. {hint}".rstrip(),
        headers={"Allow": ", ".join(sorted(methods.names))},
    )


def not_found_problem(request: Any) -> Response:
    return problem(request, HTTPStatus.NOT_FOUND, "There is nothing here.")


def _may_view(request: Any) -> bool:
    context = getattr(request, "context", None)
    return isinstance(context, Node) and bool(request.has_permission(Permission.VIEW, context))


def stale(_error: StaleDataError, request: Any) -> Response:
    """Another transaction changed the same row in every attempt."""
    return domain_error(domain.StaleVersion(), request)


def integrity(_error: IntegrityError, request: Any) -> Response:
    log.warning("A database constraint rejected a request.", exc_info=True)
    return problem(
        request, HTTPStatus.CONFLICT, "This conflicts with another change that was just made."
    )


def unavailable(error: Exception, request: Any) -> Response:
    """503: most senders of alerts try again."""
    if isinstance(error, DBAPIError) and db.is_locked(error):
        log.warning("A lock was not free in time.", exc_info=error)
        return domain_error(domain.Unavailable(LOCKED), request)
    log.error("The database cannot be used.", exc_info=error)
    return domain_error(
        domain.Unavailable("The database cannot be used at the moment; try again."), request
    )


def database_error(error: DBAPIError, request: Any) -> Response:
    return unavailable(error, request) if db.is_unavailable(error) else unexpected(error, request)


def unexpected(error: Exception, request: Any) -> Response:
    response = problem(
        request, HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on our side."
    )
    error_id = json.decode(response.body)["error_id"]
    log.error(
        "A request failed unexpectedly.",
        exc_info=error,
        extra={"error_id": error_id, "request_id": request.id},
    )
    return response


def includeme(config: Any) -> None:
    face = {"route_name": "api"}
    config.add_notfound_view(not_found, **face)
    config.add_forbidden_view(forbidden, **face)
    config.add_exception_view(domain_error, context=domain.DomainError, **face)
    config.add_exception_view(http_error, context=HTTPException, **face)
    config.add_exception_view(stale, context=StaleDataError, **face)
    config.add_exception_view(integrity, context=IntegrityError, **face)
    config.add_exception_view(unavailable, context=PoolTimeout, **face)
    config.add_exception_view(database_error, context=DBAPIError, **face)
    config.add_exception_view(unexpected, context=Exception, **face)
