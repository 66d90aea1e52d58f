"""Runs slow work within a request, outside its transaction."""

from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")


def without_transaction(request: Any, work: Callable[[], Result]) -> Result:
    """Run ``work`` and return its result, without holding locks or a connection meanwhile.

    This ends the transaction so far, which must only have read. Rows read before are stale:
    load them again by id.
    """
    request.tm.abort()
    try:
        return work()
    finally:
        request.tm.begin()
