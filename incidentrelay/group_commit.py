"""Requests that come at the same moment share one transaction.

A commit waits for the disk however much it writes, and most statements cost the same for one
row as for ten.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

Request = TypeVar("Request")
Answer = TypeVar("Answer")


class _Ticket(Generic[Request, Answer]):
    """One request on its way. ``woken`` is set when it leads, is answered, or goes alone."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.leads = False
        self.answer: Answer | Exception | None = None
        self.woken = threading.Event()


class GroupCommit(Generic[Request, Answer]):
    """Serves requests in groups, in the threads that bring them.

    Who arrives while nobody works leads: it takes all that wait, its own first, into one
    transaction. Who arrives meanwhile waits; the first of them leads the next group.

    ``together`` returns one answer for each request, after its commit: None for one that it
    left out, an exception for one that fails. These, and all of a group whose transaction
    fails, are served by ``alone``, each in its own thread: a bad request harms nobody.
    """

    def __init__(
        self,
        together: Callable[[Sequence[Request]], Sequence[Answer | Exception | None]],
        alone: Callable[[Request], Answer],
        *,
        most: int = 32,
    ) -> None:
        self._together = together
        self._alone = alone
        self._most = most
        self._lock = threading.Lock()
        self._waiting: list[_Ticket[Request, Answer]] = []
        self._has_leader = False

    def serve(self, request: Request) -> Answer:
        """The answer to the request; raises what its own transaction raises."""
        ticket: _Ticket[Request, Answer] = _Ticket(request)
        with self._lock:
            self._waiting.append(ticket)
            ticket.leads = not self._has_leader
            self._has_leader = True
        if not ticket.leads:
            ticket.woken.wait()
        if ticket.leads:
            self._lead()
        if isinstance(ticket.answer, Exception):
            raise ticket.answer
        return self._alone(request) if ticket.answer is None else ticket.answer

    def _lead(self) -> None:
        """Serve the first of those that wait, and appoint the next leader, whatever happens."""
        with self._lock:
            group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        try:
            answers = self._together([ticket.request for ticket in group])
            for ticket, answer in zip(group, answers, strict=True):
                ticket.answer = answer
        except Exception:
            log.warning("A shared transaction failed; each of its requests gets its own.")
            log.debug("The failure:", exc_info=True)
        finally:
            self._appoint()
            for ticket in group:
                ticket.leads = False
                ticket.woken.set()

    def _appoint(self) -> None:
        with self._lock:
            self._has_leader = bool(self._waiting)
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].woken.set()
