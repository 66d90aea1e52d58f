"""What must stay although the request ends with an error."""

from typing import Any


def commit_so_far(request: Any) -> None:
    """Commit what the request has done so far; an error after this undoes nothing of it."""
    request.tm.commit()
    request.tm.begin()
