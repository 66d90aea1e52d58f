"""Envelopes, and scripted vendors on the loopback."""

import contextlib
import ipaddress
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as SinkProtocol
from aiosmtpd.smtp import Envelope as SinkEnvelope
from aiosmtpd.smtp import Session

from incidentrelay.channels.registry import Registry, default_registry
from incidentrelay.domain.delivery.bundles import summarize_bundle
from incidentrelay.domain.enums import AlertStatus, NotificationKind, Severity, SignalStatus
from incidentrelay.domain.messages import Envelope, Links, Message, Part, SignalLine
from incidentrelay.transport.http import HTTPClient
from incidentrelay.transport.smtp import SMTPServer

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SECRET = "s3cr3t"
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


def make_envelope(**changes: Any) -> Envelope:
    """An ordinary page; ``changes`` replace fields of its message, or its ``links``."""
    links = changes.pop(
        "links",
        Links("https://relay.example/alerts/17", "https://relay.example/act/abc.def?x=1&y=2"),
    )
    values: dict[str, Any] = {
        "kind": NotificationKind.PAGE,
        "headline": "Page",
        "title": "Disk full on db1",
        "severity": Severity.CRITICAL,
        "status": AlertStatus.FIRING,
        "team": "Databases",
        "alert_id": 17,
        "description": "97 % used\n3 GB left",
        "labels": {"instance": "db1:9100", "job": "node"},
        "source_link": "https://prometheus.example/graph?g0=1",
        "runbook_link": "https://wiki.example/disk",
        "assignee": "ann",
        "started_at": "2026-03-01T09:29:00+00:00",
        "signal_count": 3,
    }
    return Envelope(Message(**(values | changes)), links, "17:1:0:page:user-3", "alert:17", NOW)


def make_bundle(count: int, **changes: Any) -> Envelope:
    """Pages of ``count`` alerts in one message, as to a person; titles "Disk 0 full" …"""
    parts = tuple(
        Part(
            make_envelope(**{"title": f"Disk {number} full", "alert_id": number} | changes).message,
            Links(f"https://relay.example/alerts/{number}", f"https://relay.example/act/{number}"),
        )
        for number in range(count)
    )
    message = summarize_bundle([part.message for part in parts])
    links = Links("https://relay.example/alerts")
    return Envelope(message, links, "bundle-17", "bundle-17", NOW, parts)


@dataclass
class HTTPVendor:
    """Records requests and answers each with ``status``, ``headers`` and ``body``.

    ``complain`` gets the path and the decoded JSON of each request, and returns what the
    vendor would reject (400), or None.
    """

    url: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = SECRET.encode()
    complain: Callable[[str, Any], str | None] | None = None
    complaints: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    requests: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        """Record a request; the status of its answer."""
        self.paths.append(path)
        if self.complain is not None and (complaint := self.complain(path, json.loads(body))):
            self.complaints.append(complaint)
            return 400
        self.requests.append((headers, body))
        return self.status


@pytest.fixture
def new_vendor() -> Iterator[Callable[[], HTTPVendor]]:
    """Starts a vendor; each call starts another."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(_serve(HTTPVendor()))


@contextlib.contextmanager
def _serve(vendor: HTTPVendor) -> Iterator[HTTPVendor]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(vendor.answer(self.path, headers, body))
            for name, value in vendor.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(vendor.body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the tests read ``requests``."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    vendor.url = f"http://127.0.0.1:{server.server_port}/{SECRET}?token={SECRET}"
    yield vendor
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def http_vendor(new_vendor: Callable[[], HTTPVendor]) -> HTTPVendor:
    return new_vendor()


@dataclass
class MailVendor:
    """Records mail; ``replies`` overrides the answer to a recipient, by address."""

    port: int = 0
    replies: dict[str, str] = field(default_factory=dict)
    envelopes: list[SinkEnvelope] = field(default_factory=list)
    conversations: int = 0

    async def handle_EHLO(
        self,
        protocol: SinkProtocol,
        session: Session,
        envelope: SinkEnvelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        self.conversations += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(
        self,
        protocol: SinkProtocol,
        session: Session,
        envelope: SinkEnvelope,
        address: str,
        options: list[str],
    ) -> str:
        reply = self.replies.get(address, self.replies.get("*", "250 ok"))
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(
        self, protocol: SinkProtocol, session: Session, envelope: SinkEnvelope
    ) -> str:
        self.envelopes.append(envelope)
        return "250 queued"


@pytest.fixture
def mail_vendor() -> Iterator[MailVendor]:
    vendor = MailVendor()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        vendor.port = probe.getsockname()[1]
    controller = Controller(vendor, hostname="127.0.0.1", port=vendor.port)
    controller.start()
    yield vendor
    controller.stop()


@pytest.fixture
def http() -> Iterator[HTTPClient]:
    client = HTTPClient(LOOPBACK, timeout=5.0)
    yield client
    client.close()


@pytest.fixture
def smtp(mail_vendor: MailVendor) -> SMTPServer:
    return SMTPServer(
        "127.0.0.1", mail_vendor.port, security="none", sender="Relay <pager@relay.example>"
    )


@pytest.fixture
def registry(http: HTTPClient, smtp: SMTPServer) -> Registry:
    return default_registry(http, smtp, plugins=())


@dataclass
class Fake:
    """A vendor for the conformance tests.

    ``received`` is what it has accepted. ``fail_for_now`` lets it fail as a vendor that is
    down, ``refuse`` as one that says no, perhaps because it restarts, and ``fail_for_good``
    as one that will never accept a message.
    """

    config: dict[str, Any]
    received: Callable[[], list[bytes]]
    fail_for_now: Callable[[], None]
    refuse: Callable[[], None]
    fail_for_good: Callable[[], None]


@pytest.fixture
def fakes(registry: Registry, request: pytest.FixtureRequest) -> dict[str, Fake]:
    """By channel: what ``fake`` in tests/unit/channels/KIND/fake.py makes. Internal channels
    have none: nobody could refuse their messages.
    """
    kinds = [info.name for info in registry.infos() if not info.internal]
    return {kind: import_module(f"{__package__}.{kind}.fake").fake(request) for kind in kinds}


def make_signals(*hosts: str) -> tuple[SignalLine, ...]:
    """A signal of each host, as messages list them."""
    return tuple(
        SignalLine(
            title=f"Disk full on {host}",
            severity=Severity.CRITICAL,
            status=SignalStatus.FIRING,
            labels={"instance": f"{host}:9100", "job": "node"},
            link=f"https://prometheus.example/graph?g0={host}",
            started_at="2026-03-01T09:28:40+00:00",
        )
        for host in hosts
    )
