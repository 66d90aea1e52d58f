"""Runs slow work within a request, outside its transaction."""

from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")


def without_transaction(request: Any, work: Callable[[], Result]) -> Result:
    """Run ``work`` without locks or a connection, and return its result.

    The transaction so far is aborted, so it must only have read. Rows that it read are
    stale afterwards: load them again by id.
    """
    request.tm.abort()
    try:
        return work()
    finally:
        request.tm.begin()
