"""Errors as pages. The table from exceptions to statuses is that of the API."""

import logging
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from pyramid.exceptions import BadCSRFToken
from pyramid.httpexceptions import HTTPException
from pyramid.renderers import render_to_response
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError

from incidentrelay import db
from incidentrelay.domain import errors as domain
from incidentrelay.domain.permissions import Permission
from incidentrelay.web.console.toolkit.redirects import login_url, see_other
from incidentrelay.web.errors import LOCKED, STATUSES
from incidentrelay.web.resources.base import Node

log = logging.getLogger(__name__)

_TEMPLATE = "incidentrelay:templates/error.jinja2"
# A page about a database failure must not need the database.
_BARE: dict[str, Any] = {"identity": None, "nav": (), "banners": (), "flashes": (), "zone": "UTC"}
_FORM_TOO_OLD = (
    "This form is from another session, or your browser blocks cookies."
    " Go back, reload the page and try again."
)


def page(request: Any, status: int, title: str, detail: str, *, bare: bool = False) -> Any:
    """An error page. Its ``error_id`` is in the log with the request."""
    error_id = uuid4().hex
    log.info(
        "Answered %s: %s", status, detail, extra={"error_id": error_id, "request_id": request.id}
    )
    values: dict[str, Any] = {"status": int(status), "title": title, "detail": detail}
    values |= {"error_id": error_id, "banners": ()}
    # A new response: headers that the failed page set do not belong here.
    response = render_to_response(_TEMPLATE, values | (_BARE if bare else {}), request=request)
    response.status_int = int(status)
    response.headers["X-Error-Id"] = error_id
    return response


def not_found(_error: Any, request: Any) -> Any:
    detail = "This page does not exist, or you may not see it."
    return page(request, HTTPStatus.NOT_FOUND, "Not found", detail)


def forbidden(_error: Any, request: Any) -> Any:
    """Anonymous: to the sign-in page. May not even view it: 404. Else 403."""
    if request.identity is None:
        return see_other(request, login_url(request))
    context = getattr(request, "context", None)
    if not isinstance(context, Node) or not request.has_permission(Permission.VIEW, context):
        return not_found(_error, request)
    detail = "Your role does not allow this."
    return page(request, HTTPStatus.FORBIDDEN, "Not allowed", detail)


def bad_csrf(_error: Any, request: Any) -> Any:
    return page(request, HTTPStatus.BAD_REQUEST, "Please try again", _FORM_TOO_OLD)


def domain_error(error: domain.DomainError, request: Any) -> Any:
    status = next(status for kind, status in STATUSES if isinstance(error, kind))
    return page(request, status, "This did not work", sentence(error))


def sentence(error: domain.DomainError) -> str:
    """An error's message, or the sentences of its fields if it has some."""
    if isinstance(error, domain.InvalidInput):
        return " ".join(text for texts in error.errors.values() for text in texts)
    return error.message


def http_error(error: HTTPException, request: Any) -> Any:
    if error.status_int < HTTPStatus.BAD_REQUEST:
        return error
    detail = error.detail or error.explanation or ""
    return page(request, error.status_int, HTTPStatus(error.status_int).phrase, detail)


def conflict(_error: Exception, request: Any) -> Any:
    """Another request wrote the same row in every attempt, or a constraint rejected it."""
    log.warning("Two changes collided.", exc_info=True)
    detail = "Somebody else changed this at the same moment. Go back and try again."
    return page(request, HTTPStatus.CONFLICT, "This did not work", detail)


def unavailable(error: Exception, request: Any) -> Any:
    locked = isinstance(error, DBAPIError) and db.is_locked(error)
    detail = LOCKED if locked else "The database is not available. Try again in a minute."
    answer = page(
        request, HTTPStatus.SERVICE_UNAVAILABLE, "Temporarily unavailable", detail, bare=True
    )
    _log(error, request, answer)
    answer.headers["Retry-After"] = "5" if locked else "30"
    return answer


def database_error(error: DBAPIError, request: Any) -> Any:
    return unavailable(error, request) if db.is_unavailable(error) else unexpected(error, request)


def unexpected(error: Exception, request: Any) -> Any:
    detail = "This is not your fault. The log has the details."
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    answer = page(request, status, "Something went wrong on our side", detail, bare=True)
    _log(error, request, answer)
    return answer


def _log(error: Exception, request: Any, answer: Any) -> None:
    ids = {"error_id": answer.headers["X-Error-Id"], "request_id": request.id}
    log.error("A page failed.", exc_info=error, extra=ids)


def includeme(config: Any) -> None:
    config.add_notfound_view(not_found)
    config.add_forbidden_view(forbidden)
    config.add_exception_view(domain_error, context=domain.DomainError)
    config.add_exception_view(http_error, context=HTTPException)
    config.add_exception_view(bad_csrf, context=BadCSRFToken)
    config.add_exception_view(conflict, context=StaleDataError)
    config.add_exception_view(conflict, context=IntegrityError)
    config.add_exception_view(unavailable, context=PoolTimeout)
    config.add_exception_view(database_error, context=DBAPIError)
    config.add_exception_view(unexpected, context=Exception)
