"""smtplib over our own sockets: addresses are checked, and the whole call has a deadline."""

import re
import smtplib
import socket
import ssl
from email.policy import SMTP as SMTP_POLICY
from typing import TYPE_CHECKING

from incidentrelay.transport.dialing import Deadline, Dialer
from incidentrelay.transport.streams import secure

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# Servers without 8BITMIME can take such messages.
MAIL_POLICY = SMTP_POLICY.clone(cte_type="7bit")

_CHUNK = 8192
_LONGEST_DIALOGUE = 1024 * 1024


def dot_stuffed(content: bytes) -> bytes:
    """``content``, which has CRLF line ends, in the form that follows DATA."""
    return re.sub(rb"(?m)^\.", b"..", content).removesuffix(b"\r\n") + b"\r\n.\r\n"


class BoundedSMTP(smtplib.SMTP):
    """A client that is not yet connected; every step of it ends at ``deadline``."""

    def __init__(self, hello: str, dialer: Dialer, deadline: Deadline) -> None:
        # Given the local host's name, smtplib makes no look-up that could hang.
        super().__init__(local_hostname=hello)
        self._dialer = dialer
        self._deadline = deadline

    def dial(self, host: str, port: int) -> None:
        """Connect. Raises Blocked and TransportError."""
        self._use(self._dialer.dial(host, port, self._deadline))

    def secure(self, host: str, context: ssl.SSLContext | None) -> None:
        """Switch to TLS, with the system's trust store unless there is a ``context``.

        Raises TransportError if the certificate is not valid for ``host``.
        """
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        context = context or ssl.create_default_context()
        plain, self.sock = self.sock, None
        self._use(secure(plain, context, host, self._deadline, self._dialer.timeout))

    def send(self, s: "ReadableBuffer | str") -> None:
        # The time limit of sendall is for all of its data.
        if self.sock is not None:
            self.sock.settimeout(self._deadline.remaining(self._dialer.timeout))
        super().send(s)

    def _use(self, connection: socket.socket) -> None:
        self.sock = connection
        self.file = _BoundedReader(connection, self._deadline, self._dialer.timeout)
        # Replies from before TLS must not be trusted afterwards.
        self.ehlo_resp = self.helo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False


class _BoundedReader:
    """The part of a binary file that smtplib reads replies from."""

    def __init__(self, connection: socket.socket, deadline: Deadline, timeout: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self._timeout = timeout
        self._buffer = b""
        self._received = 0

    def readline(self, limit: int) -> bytes:
        """One line with its end, or ``limit`` bytes of it, or b"" at the end of the stream."""
        while b"\n" not in self._buffer and len(self._buffer) < limit:
            self._connection.settimeout(self._deadline.remaining(self._timeout))
            received = self._connection.recv(_CHUNK)
            self._received += len(received)
            if not received or self._received > _LONGEST_DIALOGUE:
                return b""
            self._buffer += received
        end = min(self._buffer.find(b"\n") + 1 or limit, limit)
        line, self._buffer = self._buffer[:end], self._buffer[end:]
        return line

    def close(self) -> None:
        """The socket is closed by its owner."""
