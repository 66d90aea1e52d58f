"""The one HTTP client of the process.

It is built on a connection pool with its own backend instead of ``httpx2.Client``: a
client would keep one tenant's cookies for the next, and only the backend sees the address
that is dialled. It uses no proxy (which would defeat the check of addresses), follows no
redirect, and uses no connection twice.
"""

import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpcore2
import httpx2

from incidentrelay.transport.addresses import IPNetwork
from incidentrelay.transport.dialing import Deadline, Dialer, Resolver, system_resolver
from incidentrelay.transport.errors import Blocked, Refused, TransportError
from incidentrelay.transport.streams import BoundedStream, CurrentDeadline
from incidentrelay.transport.urls import Target, origin_of, parse_url

__all__ = ["Blocked", "HTTPClient", "Refused", "Response", "TransportError"]

_MOST_CONNECTIONS = 100
# "identity" keeps a small answer from unpacking into a huge one.
_OWN_HEADERS = {"user-agent": "IncidentRelay", "accept-encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. ``headers`` have lower-case names; the last of repeated ones counts.

    ``complete`` is false if the body was cut because it was too long or late. The status
    line, which is the answer, had arrived.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool = True


class HTTPClient:
    """Sends requests to addresses that users choose. Safe to share among threads.

    ``timeout`` bounds each step and ``total_deadline`` the whole call, both in seconds;
    ``max_response`` is in bytes. ``allowed_networks`` may be reached even if they are not
    public.
    """

    def __init__(
        self,
        allowed_networks: Sequence[IPNetwork] = (),
        *,
        timeout: float = 5.0,
        total_deadline: float = 15.0,
        max_response: int = 64 * 1024,
        resolver: Resolver = system_resolver,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._timeout = timeout
        self.total_deadline = total_deadline
        self._max_response = max_response
        self._current = CurrentDeadline()
        self._pool = httpcore2.ConnectionPool(
            ssl_context=ssl_context or httpx2.create_ssl_context(trust_env=False),
            max_connections=_MOST_CONNECTIONS,
            # A kept connection may have died unnoticed; then it is unknown whether the
            # message arrived.
            max_keepalive_connections=0,
            network_backend=_Backend(
                Dialer(tuple(allowed_networks), timeout, resolver), self._current
            ),
        )

    def post(self, url: str, *, content: bytes, headers: Mapping[str, str]) -> Response:
        """:meth:`request` with POST."""
        return self.request("POST", url, content=content, headers=headers)

    def request(
        self, method: str, url: str, *, content: bytes = b"", headers: Mapping[str, str]
    ) -> Response:
        """The answer, with any status; but a redirect raises Refused.

        Raises Blocked if the rules forbid the URL, its address or a header, and
        TransportError if no answer came.
        """
        target = parse_url(url)
        self._current.deadline = Deadline.after(self.total_deadline)
        try:
            with self._pool.stream(
                method,
                httpcore2.URL(
                    scheme=target.scheme,
                    host=target.host,
                    port=target.port,
                    target=target.path,
                ),
                headers=_encoded({**_OWN_HEADERS, **_lower(headers), "connection": "close"}),
                content=content,
                extensions={"timeout": self._timeouts()},
            ) as response:
                _refuse_redirect(response, target)
                body, complete = self._read(response)
                return Response(response.status, _decoded(response.headers), body, complete)
        except httpcore2.LocalProtocolError:
            # The library's text would repeat the header's value.
            raise Blocked("A header holds characters that cannot be sent.") from None
        except (httpcore2.PoolTimeout, httpcore2.WriteTimeout):
            raise TransportError(f"{target.origin} could not be reached in time.") from None
        except httpcore2.TimeoutException:
            raise TransportError(f"{target.origin} did not answer in time.", unknown=True) from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError):
            raise TransportError(
                f"{target.origin} broke off or did not answer in HTTP.", unknown=True
            ) from None

    def close(self) -> None:
        """Close all connections. The client cannot be used afterwards."""
        self._pool.close()

    def _timeouts(self) -> dict[str, float]:
        # Waiting for a free connection is limited like any other step.
        return dict.fromkeys(("pool", "connect", "read", "write"), self._timeout)

    def _read(self, response: httpcore2.Response) -> tuple[bytes, bool]:
        body = bytearray()
        try:
            for chunk in response.iter_stream():
                body += chunk
                if len(body) > self._max_response:
                    return bytes(body[: self._max_response]), False
        except (
            httpcore2.TimeoutException,
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
        ):
            return bytes(body), False
        return bytes(body), True


class _Backend(httpcore2.NetworkBackend):
    """Makes the pool open connections through the guard."""

    def __init__(self, dialer: Dialer, current: CurrentDeadline) -> None:
        self._dialer = dialer
        self._current = current

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        connection = self._dialer.dial(host, port, self._current.deadline)
        return BoundedStream(connection, self._current)


def _refuse_redirect(response: httpcore2.Response, target: Target) -> None:
    if not 300 <= response.status < 400:
        return
    location = _decoded(response.headers).get("location", "")
    towards = f" towards {origin_of(location)}" if "://" in location else ""
    raise Refused(
        f"{target.origin} answered {response.status}, a redirect{towards}. "
        "Redirects are not followed: enter the final address."
    )


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    try:
        return [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
    except UnicodeEncodeError:
        raise Blocked("A header holds characters that cannot be sent.") from None


def _decoded(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
