"""The HTTP client against real sockets on the loopback."""

import ipaddress
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from incidentrelay.transport.addresses import IPAddress
from incidentrelay.transport.http import (
    Blocked,
    HTTPClient,
    Refused,
    Response,
    TransportError,
)

Serve = Callable[..., Any]
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Two: 1\r\nx-two: 2\r\n\r\nok"
SECRET = "s3cr3t"


def read_request(connection: socket.socket) -> bytes:
    """Head and body of one request with a Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data:
        received = connection.recv(65536)
        if not received:
            raise ConnectionError("the client went away")
        data += received
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answering(answer: bytes, seen: list[bytes] | None = None) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        request = read_request(connection)
        if seen is not None:
            seen.append(request)
        connection.sendall(answer)

    return behave


@pytest.fixture
def client() -> Iterator[HTTPClient]:
    made = HTTPClient(LOOPBACK, timeout=2.0, total_deadline=4.0)
    yield made
    made.close()


def post(client: HTTPClient, port: int, **headers: str) -> Response:
    return client.post(
        f"http://127.0.0.1:{port}/{SECRET}?token={SECRET}", content=b"hello", headers=headers
    )


def test_it_sends_and_gives_the_answer(client: HTTPClient, serve: Serve) -> None:
    seen: list[bytes] = []
    server = serve(answering(OK, seen))
    response = post(client, server.port, **{"X-Mine": "1"})
    assert response == Response(200, {"content-length": "2", "x-two": "2"}, b"ok", True)
    head, _, body = seen[0].partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert lines[0] == b"post /s3cr3t?token=s3cr3t http/1.1"
    assert f"host: 127.0.0.1:{server.port}".encode() in lines
    assert {b"x-mine: 1", b"accept-encoding: identity", b"connection: close"} <= set(lines)
    assert body == b"hello"


def test_other_methods_go_the_same_way(client: HTTPClient, serve: Serve) -> None:
    seen: list[bytes] = []
    server = serve(answering(OK, seen))
    client.request("PATCH", f"http://127.0.0.1:{server.port}/", content=b"x", headers={})
    assert seen[0].startswith(b"PATCH / HTTP/1.1\r\n")


@pytest.mark.parametrize("status", [201, 400, 404, 429, 500, 503])
def test_every_final_status_is_an_answer(client: HTTPClient, serve: Serve, status: int) -> None:
    server = serve(answering(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status))
    assert post(client, server.port).status == status


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        (b"https://other.example/s3cr3t", " towards https://other.example:443. "),
        (b"http://169.254.169.254/s3cr3t", " towards http://169.254.169.254:80. "),
        (b"https://u:s3cr3t@other.example/", " towards an address that cannot be used. "),
        (b"/s3cr3t", "a redirect. "),
        (b"", "a redirect. "),
    ],
)
def test_a_redirect_is_not_followed(
    client: HTTPClient, serve: Serve, location: bytes, shown: str
) -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % location
    server = serve(answering(answer))
    with pytest.raises(Refused) as caught:
        post(client, server.port)
    assert f"127.0.0.1:{server.port} answered 302" in caught.value.reason
    assert shown in caught.value.reason
    assert SECRET not in caught.value.reason
    assert server.connections == 1


def test_a_huge_answer_is_cut(serve: Serve) -> None:
    total = 50 * 1024 * 1024
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total)
        for _ in range(total // 65536):
            connection.sendall(bytes(65536))
            sent += 65536

    client = HTTPClient(LOOPBACK)
    response = post(client, serve(flood).port)
    assert (response.status, len(response.body), response.complete) == (200, 64 * 1024, False)
    client.close()
    assert sent < total


def drip(first: bytes, drop: bytes, over: threading.Event) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(first)
        while not over.wait(0.02):
            connection.sendall(drop)

    return behave


def test_a_dripping_head_does_not_outlast_the_deadline(serve: Serve) -> None:
    over = threading.Event()
    client = HTTPClient(LOOPBACK, timeout=5.0, total_deadline=0.3)
    server = serve(drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x", over))
    start = time.monotonic()
    with pytest.raises(TransportError) as caught:
        post(client, server.port)
    over.set()
    assert time.monotonic() - start < 2.0
    assert caught.value.unknown is True
    assert "did not answer in time" in caught.value.reason
    assert SECRET not in caught.value.reason


def test_a_dripping_body_does_not_hide_the_status(serve: Serve) -> None:
    over = threading.Event()
    client = HTTPClient(LOOPBACK, timeout=5.0, total_deadline=0.3)
    server = serve(drip(b"HTTP/1.1 202 OK\r\nContent-Length: 5000\r\n\r\n", b"x", over))
    start = time.monotonic()
    response = post(client, server.port)
    over.set()
    assert time.monotonic() - start < 2.0
    assert (response.status, response.complete) == (202, False)
    assert response.body.strip(b"x") == b""


def test_a_server_that_takes_no_data_is_given_up(serve: Serve) -> None:
    over = threading.Event()
    client = HTTPClient(LOOPBACK, timeout=5.0, total_deadline=0.3)
    server = serve(lambda connection: over.wait(10) and None)
    with pytest.raises(TransportError) as caught:
        client.post(f"http://127.0.0.1:{server.port}/", content=bytes(1 << 25), headers={})
    over.set()
    assert caught.value.unknown is False


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 2", b"220 mail.example ESMTP\r\n\r\n"])
def test_no_answer_means_that_the_outcome_is_unknown(
    client: HTTPClient, serve: Serve, answer: bytes
) -> None:
    with pytest.raises(TransportError) as caught:
        post(client, serve(answering(answer)).port)
    assert caught.value.unknown is True
    assert SECRET not in caught.value.reason


def test_a_refused_connection_is_known_not_to_have_worked(client: HTTPClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(TransportError) as caught:
        post(client, port)
    assert caught.value.unknown is False
    assert caught.value.reason == f"Could not connect to 127.0.0.1:{port}: Connection refused."


@pytest.mark.parametrize(
    "headers",
    [{"X-Bad": "s3cr3t\r\nEvil: 1"}, {"X-Bad": "s3cr3t\u20ac"}, {"X s3cr3t": "1"}, {"X-é": "1"}],
)
def test_a_header_that_cannot_be_sent_is_blocked(
    client: HTTPClient, serve: Serve, headers: dict[str, str]
) -> None:
    server = serve(answering(OK))
    with pytest.raises(Blocked) as caught:
        post(client, server.port, **headers)
    assert SECRET not in caught.value.reason
    assert caught.value.__cause__ is None


SSRF_HOSTS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0",
    "0.0.0.0",
    "localhost",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "169.254.169.254",
    "100.64.0.1",
    "10.0.0.1",
    "192.168.1.1",
    "[fd00:ec2::254]",
]


@pytest.mark.parametrize("host", SSRF_HOSTS)
def test_inner_addresses_are_never_dialled(serve: Serve, host: str) -> None:
    server = serve(answering(OK))
    client = HTTPClient((), timeout=2.0)
    with pytest.raises(Blocked) as caught:
        client.post(f"http://{host}:{server.port}/{SECRET}", content=b"", headers={})
    client.close()
    assert "may not be reached" in caught.value.reason
    assert SECRET not in caught.value.reason
    assert server.connections == 0


def resolving(*answers: Sequence[str]) -> tuple[list[str], Callable[[str, int], list[IPAddress]]]:
    """A resolver that gives ``answers`` one after the other, and the names it was asked."""
    asked: list[str] = []
    left = iter(answers)

    def resolve(host: str, port: int) -> list[IPAddress]:
        asked.append(host)
        return [ipaddress.ip_address(address) for address in next(left)]

    return asked, resolve


def test_a_name_is_resolved_once_and_what_was_checked_is_dialled(serve: Serve) -> None:
    seen: list[bytes] = []
    server = serve(answering(OK, seen))
    asked, resolver = resolving(["127.0.0.1"], ["169.254.169.254"])
    client = HTTPClient(LOOPBACK, resolver=resolver)
    url = f"http://hooks.example:{server.port}/"
    assert client.post(url, content=b"", headers={}).status == 200
    assert asked == ["hooks.example"]
    assert f"Host: hooks.example:{server.port}".lower().encode() in seen[0].lower()
    # The next call asks again, and is checked again.
    with pytest.raises(Blocked, match="a link-local address"):
        client.post(url, content=b"", headers={})
    assert server.connections == 1


def test_only_the_permitted_addresses_of_a_name_are_tried(serve: Serve) -> None:
    server = serve(answering(OK))
    _, resolver = resolving(["10.0.0.1", "::1", "127.0.0.1"])
    client = HTTPClient(LOOPBACK, resolver=resolver)
    url = f"http://hooks.example:{server.port}/"
    assert client.post(url, content=b"", headers={}).status == 200


def test_the_next_address_is_tried_where_one_is_dead(serve: Serve) -> None:
    server = serve(answering(OK))
    _, resolver = resolving(["127.0.0.2", "127.0.0.1"])
    client = HTTPClient(LOOPBACK, resolver=resolver)
    url = f"http://hooks.example:{server.port}/"
    assert client.post(url, content=b"", headers={}).status == 200


@pytest.mark.parametrize("error", [socket.gaierror(-2, "x"), UnicodeError("x")])
def test_an_unknown_name_may_be_known_later(error: Exception) -> None:
    def resolver(host: str, port: int) -> list[IPAddress]:
        raise error

    client = HTTPClient(LOOPBACK, resolver=resolver)
    with pytest.raises(TransportError, match=r"hooks\.example could not be resolved") as caught:
        client.post(f"https://hooks.example/{SECRET}", content=b"", headers={})
    assert caught.value.unknown is False


def test_a_name_without_addresses_is_not_reached() -> None:
    _, resolver = resolving([])
    client = HTTPClient(LOOPBACK, resolver=resolver)
    with pytest.raises(TransportError, match="it has no address"):
        client.post("https://hooks.example/", content=b"", headers={})


def test_a_silent_name_server_does_not_outlast_the_deadline() -> None:
    over = threading.Event()

    def resolver(host: str, port: int) -> list[IPAddress]:
        over.wait(10)
        return []

    client = HTTPClient(LOOPBACK, timeout=5.0, total_deadline=0.2, resolver=resolver)
    with pytest.raises(TransportError, match="could not be resolved in time"):
        client.post("https://hooks.example/", content=b"", headers={})
    over.set()


def tls_client(context: ssl.SSLContext | None) -> HTTPClient:
    resolver = resolving(["127.0.0.1"])[1]
    return HTTPClient(LOOPBACK, total_deadline=5.0, resolver=resolver, ssl_context=context)


def test_tls_is_checked_against_the_name(
    serve: Serve, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    server = serve(answering(OK), server_tls)
    url = f"https://hooks.example:{server.port}/"
    assert tls_client(client_tls).post(url, content=b"", headers={}).body == b"ok"
    with pytest.raises(TransportError, match="certificate is not trusted") as caught:
        tls_client(client_tls).post(
            f"https://evil.example:{server.port}/{SECRET}", content=b"", headers={}
        )
    assert caught.value.unknown is False
    assert SECRET not in caught.value.reason


def test_an_unknown_certificate_is_not_trusted(serve: Serve, server_tls: ssl.SSLContext) -> None:
    server = serve(answering(OK), server_tls)
    with pytest.raises(TransportError, match="certificate is not trusted"):
        tls_client(None).post(f"https://hooks.example:{server.port}/", content=b"", headers={})


def test_tls_towards_a_plain_server_fails(serve: Serve, client_tls: ssl.SSLContext) -> None:
    server = serve(lambda connection: connection.sendall(b"220 plain\r\n" * 10))
    with pytest.raises(TransportError, match=r"TLS with hooks\.example failed"):
        tls_client(client_tls).post(
            f"https://hooks.example:{server.port}/", content=b"", headers={}
        )


def test_environment_proxies_are_ignored(
    serve: Serve, client: HTTPClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(answering(OK))
    server = serve(answering(OK))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    assert post(client, server.port).status == 200
    assert (proxy.connections, server.connections) == (0, 1)


def test_many_threads_may_share_a_client(client: HTTPClient, serve: Serve) -> None:
    def echo(connection: socket.socket) -> None:
        body = read_request(connection).partition(b"\r\n\r\n")[2]
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    url = f"http://127.0.0.1:{serve(echo).port}/"
    bodies = [b"body %d" % number for number in range(60)]
    with ThreadPoolExecutor(20) as threads:
        answers = threads.map(lambda body: client.post(url, content=body, headers={}), bodies)
        assert [answer.body for answer in answers] == bodies


def test_no_cookie_is_kept(client: HTTPClient, serve: Serve) -> None:
    seen: list[bytes] = []
    answer = OK.replace(b"X-Two", b"Set-Cookie: a=b\r\nX-Two")
    server = serve(answering(answer, seen))
    post(client, server.port)
    post(client, server.port)
    assert b"cookie" not in seen[1].lower()


def test_a_connection_that_is_reset_leaves_the_outcome_unknown(
    client: HTTPClient, serve: Serve
) -> None:
    def reset(connection: socket.socket) -> None:
        read_request(connection)
        # Lingering for no time at all makes closing a reset.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with pytest.raises(TransportError, match="broke off") as caught:
        post(client, serve(reset).port)
    assert caught.value.unknown is True


def test_a_handshake_that_never_ends_is_given_up(serve: Serve, client_tls: ssl.SSLContext) -> None:
    over = threading.Event()
    server = serve(lambda connection: over.wait(10) and None)
    client = HTTPClient(LOOPBACK, total_deadline=0.3, ssl_context=client_tls)
    with pytest.raises(TransportError, match="it took too long") as caught:
        client.post(f"https://127.0.0.1:{server.port}/", content=b"", headers={})
    over.set()
    assert caught.value.unknown is False
