"""Mail against a real sink, and against scripted servers that fail in every way."""

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as SinkProtocol
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from incidentrelay.transport.addresses import IPAddress
from incidentrelay.transport.dialogue import dot_stuffed
from incidentrelay.transport.smtp import (
    MAIL_POLICY,
    Blocked,
    Refused,
    SMTPServer,
    TransportError,
    connect,
    send,
)

PASSWORD = "hunter2"
SENDER = "IncidentRelay <pager@relay.example>"


def to_loopback(host: str, port: int) -> list[IPAddress]:
    return [ipaddress.ip_address("127.0.0.1")]


def server(port: int, **settings: Any) -> SMTPServer:
    values: dict[str, Any] = {"security": "none", "timeout": 5.0, "total_deadline": 5.0}
    values |= {"host": "hooks.example", "sender": SENDER, "resolver": to_loopback}
    return SMTPServer(port=port, **(values | settings))


def mail(text: str = "Hello\n.\n..two\nünï\n", subject: str = "Ünï") -> EmailMessage:
    message = EmailMessage(policy=MAIL_POLICY)
    message["From"], message["To"], message["Subject"] = SENDER, "ann@example.org", subject
    message.set_content(text)
    return message


class Sink:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.secured: list[bool] = []

    async def handle_DATA(
        self, protocol: SinkProtocol, session: Session, envelope: Envelope
    ) -> str:
        self.envelopes.append(envelope)
        self.secured.append(session.ssl is not None)
        return "250 2.0.0 queued as 42"


def check_login(
    protocol: SinkProtocol, session: Session, envelope: Envelope, mechanism: str, data: Any
) -> AuthResult:
    right = isinstance(data, LoginPassword) and data.password == PASSWORD.encode()
    return AuthResult(success=right, handled=False)


Start = Callable[..., tuple[Sink, int]]


@pytest.fixture
def sink() -> Iterator[Start]:
    running: list[Controller] = []

    def start(**options: Any) -> tuple[Sink, int]:
        handler = Sink()
        controller = Controller(handler, hostname="127.0.0.1", port=0, **options)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            controller.port = probe.getsockname()[1]
        controller.start()
        running.append(controller)
        return handler, controller.port

    yield start
    for controller in running:
        controller.stop()


def test_it_hands_in_a_message(sink: Start) -> None:
    handler, port = sink()
    assert send(server(port), "ann@example.org", mail()) == "250 2.0.0 queued as 42"
    [envelope] = handler.envelopes
    assert envelope.mail_from == "pager@relay.example"
    assert envelope.rcpt_tos == ["ann@example.org"]
    content = envelope.content
    assert isinstance(content, bytes)
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998


def test_one_conversation_serves_several_recipients(sink: Start) -> None:
    handler, port = sink()
    with connect(server(port)) as session:
        for name in ("ann", "bob"):
            session.deliver(f"{name}@example.org", mail())
    assert [e.rcpt_tos for e in handler.envelopes] == [["ann@example.org"], ["bob@example.org"]]


def test_starttls_with_a_password(
    sink: Start, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    handler, port = sink(tls_context=server_tls, authenticator=check_login, auth_required=True)
    settings = {"security": "starttls", "ssl_context": client_tls, "username": "relay"}
    send(server(port, password=PASSWORD, **settings), "ann@example.org", mail())
    assert handler.secured == [True]
    with pytest.raises(Refused) as caught:
        send(server(port, password="wr0ng", **settings), "ann@example.org", mail())
    assert caught.value.reason.endswith("did not accept the user name and password (535).")
    assert "wr0ng" not in caught.value.reason


def test_tls_from_the_first_byte(
    sink: Start, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    handler, port = sink(ssl_context=server_tls)
    settings = server(port, security="tls", ssl_context=client_tls)
    assert send(settings, "ann@example.org", mail()).startswith("250 ")
    assert len(handler.envelopes) == 1


@pytest.mark.parametrize("host", ["hooks.example", "evil.example"])
def test_the_certificate_must_be_trusted_and_fit(
    sink: Start, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext, host: str
) -> None:
    handler, port = sink(tls_context=server_tls)
    context = client_tls if host == "evil.example" else None
    settings = server(port, host=host, security="starttls", ssl_context=context)
    with pytest.raises(TransportError, match="certificate is not trusted"):
        send(settings, "ann@example.org", mail())
    assert handler.envelopes == []


def test_starttls_is_required_not_tried(sink: Start) -> None:
    handler, port = sink()
    with pytest.raises(Refused, match="does not offer STARTTLS, which is required"):
        send(server(port, security="starttls"), "ann@example.org", mail())
    assert handler.envelopes == []


def test_signing_in_needs_a_server_that_can(
    sink: Start, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    settings = {"security": "starttls", "ssl_context": client_tls, "username": "relay"}
    _, port = sink(tls_context=server_tls, auth_exclude_mechanism=["LOGIN", "PLAIN"])
    with pytest.raises(Refused, match="offers no way to sign in"):
        send(server(port, password=PASSWORD, **settings), "ann@example.org", mail())


GOOD = {
    "": "220 hello",
    "EHLO": "250 hooks.example",
    "RSET": "250 ok",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go",
    ".": "250 queued",
    "QUIT": "221 bye",
}


def scripted(answers: Mapping[str, str | None]) -> Callable[[socket.socket], None]:
    """Answers by command ("" greets, "." ends the data); None hangs up."""
    script = GOOD | dict(answers)

    def behave(connection: socket.socket) -> None:
        lines = connection.makefile("rb")
        command, in_data = "", False
        while (answer := script[command]) is not None:
            connection.sendall(answer.encode() + b"\r\n")
            in_data = answer.startswith("354")
            line = lines.readline()
            while in_data and line not in (b".\r\n", b""):
                line = lines.readline()
            if not line:
                return
            command = "." if in_data else line[:4].decode().upper()

    return behave


@pytest.mark.parametrize(
    ("answers", "error", "unknown", "said"),
    [
        ({"": "421 busy"}, TransportError, False, "answered greeting with 421 busy"),
        ({"": "554 go away"}, Refused, None, "answered greeting with 554 go away"),
        ({"": "hello?"}, TransportError, False, "answered greeting with -1"),
        ({"": None}, TransportError, False, "broke off"),
        ({"EHLO": "500 what"}, Refused, None, "answered EHLO with 500 what"),
        ({"MAIL": "451 later"}, TransportError, False, "answered MAIL FROM with 451 later"),
        ({"RCPT": "450 greylisted"}, TransportError, False, "answered RCPT TO with 450"),
        ({"RCPT": "550 no such user"}, Refused, None, "answered RCPT TO with 550 no such user"),
        ({"RCPT": None}, TransportError, False, "broke off"),
        ({"DATA": "452 full"}, TransportError, False, "answered DATA with 452 full"),
        ({"DATA": "554 no"}, Refused, None, "answered DATA with 554 no"),
        ({".": "451 try later"}, TransportError, False, "answered the message with 451"),
        ({".": "554 spam"}, Refused, None, "answered the message with 554 spam"),
        ({".": None}, TransportError, True, "broke off"),
        ({".": "what?"}, TransportError, True, "answered the message with -1"),
        ({"RCPT": "550-a\r\n550 \x07b" + "c" * 999}, Refused, None, "with 550 a bccc"),
    ],
)
def test_every_reply_has_its_meaning(
    serve: Callable[..., Any],
    answers: Mapping[str, str | None],
    error: type[TransportError | Refused],
    unknown: bool | None,
    said: str,
) -> None:
    with pytest.raises(error) as caught:
        send(server(serve(scripted(answers)).port), "ann@example.org", mail())
    reason = str(caught.value)
    assert reason.startswith("The mail server hooks.example:")
    assert said in reason
    assert len(reason) < 300
    assert getattr(caught.value, "unknown", None) is unknown


@pytest.mark.parametrize(
    ("answers", "final"),
    [
        ({"RCPT": "550 5.1.1 no such user"}, True),
        ({"RCPT": "553 5.1.3 bad syntax"}, True),
        ({"RCPT": "550 no such user"}, False),
        ({"RCPT": "550 5.7.1 policy"}, False),
        ({"": "554 5.1.1 go away"}, False),
        ({".": "554 5.1.1 no"}, False),
    ],
)
def test_only_a_bad_address_is_refused_for_good(
    serve: Callable[..., Any], answers: Mapping[str, str | None], final: bool
) -> None:
    with pytest.raises(Refused) as caught:
        send(server(serve(scripted(answers)).port), "ann@example.org", mail())
    assert caught.value.final is final


def test_a_goodbye_that_fails_does_not_undo_the_message(serve: Callable[..., Any]) -> None:
    answers = {"QUIT": None, ".": "250 queued"}
    assert send(server(serve(scripted(answers)).port), "a@b.example", mail()) == "250 queued"


def test_a_refused_recipient_does_not_end_the_conversation(serve: Callable[..., Any]) -> None:
    calls = iter(["550 no", "250 ok"])

    class Alternating(dict[str, str | None]):
        def __getitem__(self, key: str) -> str | None:
            return next(calls) if key == "RCPT" else super().__getitem__(key)

    def behave(connection: socket.socket) -> None:
        script = Alternating(GOOD)
        lines = connection.makefile("rb")
        command = ""
        while True:
            answer = script[command]
            connection.sendall(str(answer).encode() + b"\r\n")
            line = lines.readline()
            while answer == "354 go" and line not in (b".\r\n", b""):
                line = lines.readline()
            if not line:
                return
            command = "." if answer == "354 go" else line[:4].decode().upper()

    with connect(server(serve(behave).port)) as session:
        with pytest.raises(Refused):
            session.deliver("gone@example.org", mail())
        assert session.deliver("ann@example.org", mail()) == "250 queued"


def test_after_a_lost_connection_nothing_more_is_tried(serve: Callable[..., Any]) -> None:
    with connect(server(serve(scripted({".": None})).port)) as session:
        for unknown in (True, False):
            with pytest.raises(TransportError) as caught:
                session.deliver("ann@example.org", mail())
            assert caught.value.unknown is unknown


def test_a_dripping_server_does_not_outlast_the_deadline(serve: Callable[..., Any]) -> None:
    over = threading.Event()

    def behave(connection: socket.socket) -> None:
        while not over.wait(0.02):
            connection.sendall(b"220-still here\r\n")

    start = time.monotonic()
    with pytest.raises(TransportError, match="took too long"):
        send(server(serve(behave).port, total_deadline=0.3), "ann@example.org", mail())
    over.set()
    assert time.monotonic() - start < 2.0


def test_an_endless_reply_is_cut(serve: Callable[..., Any]) -> None:
    sent = 0

    def behave(connection: socket.socket) -> None:
        nonlocal sent
        for _ in range(1000):
            connection.sendall(b"220-x\r\n" * 8192)
            sent += 1

    with pytest.raises(TransportError):
        send(server(serve(behave).port), "ann@example.org", mail())
    assert sent < 1000


def test_the_address_is_checked_only_where_networks_are_given(sink: Start) -> None:
    handler, port = sink()
    with pytest.raises(Blocked, match="a loopback address"):
        send(server(port, allowed_networks=()), "ann@example.org", mail())
    send(
        server(port, allowed_networks=[ipaddress.ip_network("127.0.0.0/8")]),
        "ann@example.org",
        mail(),
    )
    assert len(handler.envelopes) == 1


def test_an_unreachable_server_may_come_back() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(TransportError, match="Connection refused") as caught:
        send(server(port), "ann@example.org", mail())
    assert caught.value.unknown is False


@pytest.mark.parametrize(
    "recipient", ["", "ann", "a@b\r\nDATA", "ann@exämple.org", "a b@c.example", "<a@b.example>"]
)
def test_an_unusable_recipient_is_refused(sink: Start, recipient: str) -> None:
    handler, port = sink()
    with pytest.raises(Blocked, match="not an e-mail address"):
        send(server(port), recipient, mail())
    assert handler.envelopes == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"security": "ssl"}, "security"),
        ({"sender": ""}, "sender"),
        ({"sender": "IncidentRelay"}, "sender"),
        ({"sender": "relay@exämple.org"}, "sender"),
        ({"username": "relay", "password": PASSWORD}, "without TLS"),
        ({"security": "tls", "username": "relay", "password": "hünter"}, "ASCII"),
    ],
)
def test_settings_that_cannot_work_are_found_at_once(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        server(25, **settings)
    assert PASSWORD not in str(caught.value)


def test_a_server_does_not_show_its_password() -> None:
    shown = repr(server(25, security="tls", username="relay", password=PASSWORD))
    assert PASSWORD not in shown
    assert server(25).domain == "relay.example"


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        (b"a\r\n", b"a\r\n.\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b".\r\n", b"..\r\n.\r\n"),
        (b".a\r\n..b\r\nc.\r\n", b"..a\r\n...b\r\nc.\r\n.\r\n"),
    ],
)
def test_dots_are_stuffed(content: bytes, sent: bytes) -> None:
    assert dot_stuffed(content) == sent


@pytest.mark.parametrize(
    ("reply", "error", "said"),
    [
        ("454 4.7.0 s3cr3t try later", TransportError, "cannot sign in now (454)."),
        ("535 5.7.8 s3cr3t no", Refused, "did not accept the user name and password (535)."),
        (None, TransportError, "broke off"),
    ],
)
def test_a_failed_sign_in_repeats_nothing(
    serve: Callable[..., Any],
    server_tls: ssl.SSLContext,
    client_tls: ssl.SSLContext,
    reply: str | None,
    error: type[TransportError | Refused],
    said: str,
) -> None:
    answers = {"EHLO": "250-hooks.example\r\n250 AUTH PLAIN", "AUTH": reply}
    port = serve(scripted(answers), server_tls).port
    settings = {"security": "tls", "ssl_context": client_tls, "username": "relay"}
    with pytest.raises(error) as caught:
        send(server(port, password=PASSWORD, **settings), "ann@example.org", mail())
    assert said in str(caught.value)
    assert "s3cr3t" not in str(caught.value)
