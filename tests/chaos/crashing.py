"""The product's commands, in a process that can die at a named point.

The point's name is written into the file that ``CRASH_FILE`` names; of all processes
the first that comes there removes the file and dies, as by ``kill -9``::

    CRASH_FILE=… python -m tests.chaos.crashing worker -c relay.ini
"""

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from incidentrelay.services.delivery import claims
from incidentrelay.services.delivery import results as delivery_results
from incidentrelay.services.outbox import records as outbox_records
from incidentrelay.tasks.queue import Queue

WEB_POINTS = ("before-commit", "before-enqueue")
WORKER_POINTS = (
    "before-claim-commit",
    "before-send",
    "before-record",
    "before-record-commit",
    "after-record",
)
POINTS = WEB_POINTS + WORKER_POINTS
# Only webhook deliveries count, so that each point is one precise moment.
METHOD = "webhook"
KILLED = 137


class Trap:
    """Kills this process when it reaches the point that the file names."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def reach(self, point: str) -> None:
        try:
            if self._file.read_text() != point:
                return
            self._file.unlink()
        except FileNotFoundError:
            return
        os._exit(KILLED)


def set_up_web(trap: Trap) -> None:
    """Dying while an alert is received."""

    @event.listens_for(Session, "before_commit")
    def commit(session: Session) -> None:
        if session.info.get("hints"):
            trap.reach("before-commit")

    _around(Queue, "put", before=lambda *_: trap.reach("before-enqueue"))


def set_up_worker(trap: Trap) -> None:
    """Dying while a message is delivered."""

    def claimed(result: Any, *_: Any) -> None:
        if result is not None and result.method == METHOD:
            trap.reach("before-claim-commit")

    def sending(taken: Any, *_: Any) -> None:
        if taken.method == METHOD:
            trap.reach("before-send")

    def recording(_session: Session, taken: Any, *_: Any) -> None:
        if taken.method == METHOD:
            trap.reach("before-record")

    def recorded(_result: Any, session: Session, taken: Any, *_: Any) -> None:
        if taken.method == METHOD:
            session.info["recorded"] = True
            trap.reach("before-record-commit")

    @event.listens_for(Session, "after_commit")
    def committed(session: Session) -> None:
        if session.info.pop("recorded", False):
            trap.reach("after-record")

    _around(claims, "claim_notification", after=claimed)
    _around(outbox_records, "send_claim", before=sending)
    _around(delivery_results, "record_result", before=recording, after=recorded)


def _around(
    owner: Any,
    name: str,
    *,
    before: Callable[..., None] | None = None,
    after: Callable[..., None] | None = None,
) -> None:
    """Have a function of the product watched; ``after`` gets its result first."""
    inner = getattr(owner, name)

    @functools.wraps(inner)
    def watched(*args: Any, **kwargs: Any) -> Any:
        if before is not None:
            before(*args)
        result = inner(*args, **kwargs)
        if after is not None:
            after(result, *args)
        return result

    setattr(owner, name, watched)


def main() -> None:
    from incidentrelay.cli.main import main as command

    trap = Trap(Path(os.environ["CRASH_FILE"]))
    (set_up_web if sys.argv[1] == "serve" else set_up_worker)(trap)
    command(prog_name="incidentrelay")


if __name__ == "__main__":
    main()
