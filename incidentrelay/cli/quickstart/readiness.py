"""The address of a server: whether it is free, and whether the server is ready."""

import http.client
import json
import socket
from dataclasses import dataclass

from incidentrelay.cli.errors import CommandFailed

_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not listened on.
REQUEST_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens."""

    host: str
    port: int

    @property
    def listen(self) -> str:
        """In waitress's format."""
        return f"{_bracketed(self.host)}:{self.port}"

    @property
    def url(self) -> str:
        """The URL on this machine, without a trailing slash."""
        return f"http://{_bracketed(self._reachable)}:{self.port}"

    def refuse_if_taken(self) -> None:
        """Raises CommandFailed if no server could listen here."""
        try:
            family, kind, protocol, _, place = socket.getaddrinfo(
                self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(place)
        except OSError as error:
            reason = error.strerror or str(error)
            raise CommandFailed(
                f"Cannot listen on {self.listen}: {reason}. Choose another port:"
                f" make run PORT={self.port + 1} (or --port, and --host for the address)."
            ) from None

    def trouble(self) -> str | None:
        """Why the server is not ready, or None when it is."""
        connection = http.client.HTTPConnection(self._reachable, self.port, timeout=REQUEST_SECONDS)
        try:
            connection.request("GET", "/readyz", headers={"Accept": "application/json"})
            answer = connection.getresponse()
            body = answer.read(10_000).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            return str(error) or type(error).__name__
        finally:
            connection.close()
        return _trouble(answer.status, body)

    @property
    def _reachable(self) -> str:
        return _ANY.get(self.host, self.host)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _trouble(status: int, body: str) -> str | None:
    try:
        report = json.loads(body)
    except ValueError:
        report = {}
    if status != http.client.OK:
        return f"/readyz answered {status}: {' '.join(body.split())[:500]}"
    return "the worker has not reported yet" if report.get("worker") is False else None
