"""Sockets on which every step ends at one deadline.

A socket's own timeout restarts with each byte that arrives, so a server that drips bytes could
hold a call forever.
"""

import socket
import ssl
import threading

import httpcore2

from incidentrelay.transport.dialing import Deadline
from incidentrelay.transport.errors import TransportError


class CurrentDeadline(threading.local):
    """The deadline of the call that this thread is making."""

    deadline: Deadline


class BoundedStream(httpcore2.NetworkStream):
    """What the connection pool reads from and writes to."""

    def __init__(self, connection: socket.socket, current: CurrentDeadline) -> None:
        self._connection = connection
        self._current = current

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            self._connection.settimeout(self._current.deadline.remaining(timeout))
            return self._connection.recv(max_bytes)
        except TimeoutError:
            raise httpcore2.ReadTimeout("no data in time") from None
        except OSError as error:
            raise httpcore2.ReadError("the connection broke") from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            # The time limit of sendall is for the whole buffer.
            self._connection.settimeout(self._current.deadline.remaining(timeout))
            self._connection.sendall(buffer)
        except TimeoutError:
            raise httpcore2.WriteTimeout("data not taken in time") from None
        except OSError as error:
            raise httpcore2.WriteError("the connection broke") from error

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        secured = secure(
            self._connection,
            ssl_context,
            server_hostname or "",
            self._current.deadline,
            timeout,
        )
        return BoundedStream(secured, self._current)

    def close(self) -> None:
        self._connection.close()

    def get_extra_info(self, info: str) -> None:
        """None: the pool asks only to choose HTTP/2 or to reuse a connection."""


def secure(
    connection: socket.socket,
    context: ssl.SSLContext,
    hostname: str,
    deadline: Deadline,
    timeout: float | None,
) -> ssl.SSLSocket:
    """``connection`` with TLS, the certificate checked against ``hostname``.

    Raises TransportError, and closes the connection, if that fails.
    """
    try:
        connection.settimeout(deadline.remaining(timeout))
        return context.wrap_socket(connection, server_hostname=hostname)
    except (OSError, ValueError) as error:
        connection.close()
        raise TransportError(f"TLS with {hostname} failed: {_tls_problem(error)}.") from error


def _tls_problem(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message or 'no reason given'})"
    return "the other side does not speak it as expected"
