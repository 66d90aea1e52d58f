"""Keeps changes even if the request fails later."""

from typing import Any


def commit_so_far(request: Any) -> None:
    """Commit the request's changes so far, so that a later error cannot undo them."""
    request.tm.commit()
    request.tm.begin()
