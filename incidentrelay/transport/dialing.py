"""Opens sockets: resolves a name once, checks the addresses, connects to a checked one.

A second resolution between check and connection would let a name server change its answer
(DNS rebinding).
"""

import ipaddress
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread
from typing import Self

from incidentrelay.transport.addresses import IPAddress, IPNetwork, verdict
from incidentrelay.transport.errors import Blocked, TransportError
from incidentrelay.transport.urls import host_and_port

# Returns the addresses of a host, best first; raises OSError if it has none.
Resolver = Callable[[str, int], Sequence[IPAddress]]

_MOST_ADDRESSES = 8


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point on the monotonic clock at which a whole call must have ended."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Self:
        return cls(time.monotonic() + seconds)

    def remaining(self, at_most: float | None = None) -> float:
        """The seconds left, but no more than ``at_most``; raises TimeoutError if none are."""
        seconds = self.at - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the deadline has passed")
        return seconds if at_most is None else min(seconds, at_most)


def system_resolver(host: str, port: int) -> Sequence[IPAddress]:
    """The operating system's answer, in its order of preference."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(entry[4][0]) for entry in found]


@dataclass(frozen=True, slots=True)
class Dialer:
    """Opens TCP connections. ``timeout`` is seconds for one step (name or address).

    ``allowed`` None permits every address. Use it only for hosts from the administrator's own
    configuration.
    """

    allowed: Sequence[IPNetwork] | None
    timeout: float
    resolver: Resolver = system_resolver

    def dial(self, host: str, port: int, deadline: Deadline) -> socket.socket:
        """A connected socket.

        Raises Blocked if no address of ``host`` may be reached, and TransportError if
        none could be.
        """
        where = host_and_port(host, port)
        problem = "it has no address"
        for address in self._permitted(host, self._resolve(host, port, deadline)):
            try:
                timeout = deadline.remaining(self.timeout)
                return socket.create_connection((str(address), port), timeout)
            except TimeoutError:
                problem = "it took too long"
            except OSError as error:
                problem = error.strerror or type(error).__name__
        raise TransportError(f"Could not connect to {where}: {problem}.")

    def _permitted(self, host: str, addresses: Sequence[IPAddress]) -> list[IPAddress]:
        """Those that may be reached; Blocked names the kind, never the inner address."""
        if self.allowed is None:
            return list(addresses)
        verdicts = {address: verdict(address, self.allowed) for address in addresses}
        permitted = [address for address, reason in verdicts.items() if reason is None]
        if addresses and not permitted:
            reason = verdicts[addresses[0]]
            raise Blocked(
                f"{host} may not be reached: it is {reason}. An administrator can allow it."
            )
        return permitted

    def _resolve(self, host: str, port: int, deadline: Deadline) -> Sequence[IPAddress]:
        try:
            return (ipaddress.ip_address(host),)
        except ValueError:
            pass  # It is a name, or one of the odd spellings that only the system reads.
        # The system's resolver has no time limit, so it runs in a thread of its own, which
        # can be abandoned.
        answer: Future[Sequence[IPAddress]] = Future()
        Thread(target=self._ask, args=(answer, host, port), name="resolve", daemon=True).start()
        try:
            found = answer.result(deadline.remaining(self.timeout))
        except TimeoutError:
            raise TransportError(f"The name {host} could not be resolved in time.") from None
        except (OSError, ValueError):
            raise TransportError(f"The name {host} could not be resolved.") from None
        return list(dict.fromkeys(found))[:_MOST_ADDRESSES]

    def _ask(self, answer: "Future[Sequence[IPAddress]]", host: str, port: int) -> None:
        try:
            answer.set_result(self.resolver(host, port))
        except Exception as error:  # Raised again in the thread that waits.
            answer.set_exception(error)
