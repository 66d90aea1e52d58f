"""Slow work in the middle of a request, without the request's transaction."""

from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")


def without_transaction(request: Any, work: Callable[[], Result]) -> Result:
    """What ``work`` returns; nothing is locked and no connection is held meanwhile.

    The transaction until then is given up, so it must only have read. What was read is
    stale: ask again, by id, for whatever is needed afterwards.
    """
    request.tm.abort()
    try:
        return work()
    finally:
        request.tm.begin()
