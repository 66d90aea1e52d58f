"""Mail to one SMTP server, in one conversation for any number of recipients.

The administrator chooses the server, so by default its address is not checked: a relay on
the same host is the usual case.
"""

import contextlib
import re
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Literal

from incidentrelay.transport.addresses import IPNetwork
from incidentrelay.transport.dialing import Deadline, Dialer, Resolver, system_resolver
from incidentrelay.transport.dialogue import MAIL_POLICY, BoundedSMTP, dot_stuffed
from incidentrelay.transport.errors import Blocked, Refused, TransportError
from incidentrelay.transport.urls import host_and_port

__all__ = [
    "MAIL_POLICY",
    "Blocked",
    "Refused",
    "SMTPServer",
    "SMTPSession",
    "TransportError",
    "connect",
    "send",
]

_LONGEST_REPLY = 200
# Bad mailbox, bad domain and the like (RFC 3463): not the words of a server that restarts.
_BAD_ADDRESS = re.compile(rb"5\.1\.\d")
_ADDRESS = re.compile(r"[!-;=?A-~]+@[!-;=?A-~]+")


@dataclass(frozen=True, slots=True)
class SMTPServer:
    """The server that takes our mail. Raises ValueError if the values cannot work.

    ``security``: "starttls" (required, never merely tried), "tls" from the first byte, or
    "none". ``sender`` is the From address, bare or with a display name. ``timeout`` is in
    seconds for one step, ``total_deadline`` for one conversation. ``allowed_networks`` None
    permits any address. ``hello`` is the name for EHLO; None: the sender's domain.
    """

    host: str
    port: int = 587
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: str = ""
    timeout: float = 10.0
    total_deadline: float = 30.0
    allowed_networks: Sequence[IPNetwork] | None = None
    hello: str | None = None
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False)
    resolver: Resolver = field(default=system_resolver, repr=False)

    def __post_init__(self) -> None:
        if self.security not in ("starttls", "tls", "none"):
            raise ValueError("security is one of starttls, tls and none.")
        if not _ADDRESS.fullmatch(self.address):
            raise ValueError("sender holds no e-mail address in ASCII.")
        if self.username and self.security == "none":
            raise ValueError("A password is not sent without TLS: set security or no username.")
        if not ((self.username or "") + (self.password or "")).isascii():
            raise ValueError("SMTP carries user names and passwords in ASCII only.")

    @property
    def address(self) -> str:
        """The sender's bare address."""
        return parseaddr(self.sender)[1]

    @property
    def domain(self) -> str:
        """The part of the sender's address after the @."""
        return self.address.rpartition("@")[2]

    @property
    def label(self) -> str:
        """How error texts name the server."""
        return f"The mail server {host_and_port(self.host, self.port)}"


def send(server: SMTPServer, recipient: str, message: EmailMessage) -> str:
    """Send one message to one recipient; returns the server's reply.

    Raises Refused for a 5xx reply, TransportError for a 4xx one or a broken connection
    (``unknown`` once the content was on its way), and Blocked if the server's address is
    forbidden or the recipient's invalid.
    """
    with connect(server) as session:
        return session.deliver(recipient, message)


@contextlib.contextmanager
def connect(server: SMTPServer) -> Iterator["SMTPSession"]:
    """A conversation, secured and signed in. Raises the same as :func:`send`."""
    session = SMTPSession(server, Deadline.after(server.total_deadline))
    try:
        session.open()
        yield session
    finally:
        session.close()


class SMTPSession:
    """One conversation. All of it ends at ``deadline``."""

    def __init__(self, server: SMTPServer, deadline: Deadline) -> None:
        self._server = server
        self._deadline = deadline
        self._client = BoundedSMTP(
            server.hello or server.domain,
            Dialer(server.allowed_networks, server.timeout, server.resolver),
            deadline,
        )

    def open(self) -> None:
        """Greet, secure and sign in."""
        server, client = self._server, self._client
        client.dial(server.host, server.port)
        with self._explained():
            if server.security == "tls":
                client.secure(server.host, server.ssl_context)
            self._expect(2, client.getreply(), "greeting")
            self._expect(2, client.ehlo(), "EHLO")
            if server.security == "starttls":
                self._start_tls()
            if server.username:
                self._sign_in(server.username, server.password or "")

    def deliver(self, recipient: str, message: EmailMessage) -> str:
        """Send ``message`` to ``recipient``; may be called again, also after an error."""
        if not _ADDRESS.fullmatch(recipient):
            raise Blocked("The recipient is not an e-mail address in ASCII.")
        content = dot_stuffed(message.as_bytes(policy=MAIL_POLICY))
        client = self._client
        with self._explained():
            self._expect(2, client.rset(), "RSET")
            self._expect(2, client.mail(self._server.address), "MAIL FROM")
            self._expect(2, client.rcpt(recipient), "RCPT TO")
            self._expect(3, client.docmd("DATA"), "DATA")
        with self._explained(unknown=True):
            client.send(content)
            reply = client.getreply()
            self._expect(2, reply, "the message", unknown=reply[0] < 400)
        return self._shown(reply)

    def close(self) -> None:
        # Accepted messages stay accepted, even if QUIT fails.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            if self._client.sock is not None:
                self._client.quit()
        self._client.close()

    def _start_tls(self) -> None:
        client, server = self._client, self._server
        if not client.has_extn("starttls"):
            raise Refused(f"{server.label} does not offer STARTTLS, which is required.")
        self._expect(2, client.docmd("STARTTLS"), "STARTTLS")
        client.secure(server.host, server.ssl_context)
        self._expect(2, client.ehlo(), "EHLO")

    def _sign_in(self, username: str, password: str) -> None:
        # The replies are not shown: some servers repeat the password in them.
        name = self._server.label
        try:
            self._client.login(username, password)
        except smtplib.SMTPAuthenticationError as error:
            if 400 <= error.smtp_code < 500:
                raise TransportError(f"{name} cannot sign in now ({error.smtp_code}).") from None
            raise Refused(
                f"{name} did not accept the user name and password ({error.smtp_code})."
            ) from None
        except smtplib.SMTPServerDisconnected:
            raise
        except smtplib.SMTPException:
            raise Refused(f"{name} offers no way to sign in that is known here.") from None

    def _expect(
        self, family: int, reply: tuple[int, bytes], step: str, *, unknown: bool = False
    ) -> None:
        """Raise the failure that ``reply`` stands for, unless its code is of ``family``."""
        code = reply[0]
        if code // 100 == family:
            return
        reason = f"{self._server.label} answered {step} with {self._shown(reply)}"
        if code // 100 == 5:
            final = step == "RCPT TO" and _BAD_ADDRESS.match(reply[1]) is not None
            raise Refused(reason, final=final)
        # With 421 a server closes the whole conversation (RFC 5321, 3.8).
        raise TransportError(reason, unknown, answered=code != 421)

    def _shown(self, reply: tuple[int, bytes]) -> str:
        text = " ".join(reply[1].decode("ascii", "replace").split())
        text = "".join(character for character in text if character.isprintable())
        if self._server.password:
            text = text.replace(self._server.password, "***")
        return f"{reply[0]} {text}"[:_LONGEST_REPLY].rstrip()

    @contextlib.contextmanager
    def _explained(self, *, unknown: bool = False) -> Iterator[None]:
        """Turn the errors of smtplib and sockets into TransportError."""
        try:
            yield
        except OSError:  # The base of all that smtplib raises, and of time limits.
            self._client.close()
            name = self._server.label
            raise TransportError(f"{name} broke off or took too long.", unknown=unknown) from None
