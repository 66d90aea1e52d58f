"""Fake receivers that check what they receive: a webhook endpoint and a mail server."""

import base64
import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

from aiosmtpd.controller import Controller

MOST_BYTES = 20_000
MOST_BYTES_OF_A_BUNDLE = 200_000
MOST_ALERTS = 100
Found = TypeVar("Found")


def eventually(look: Callable[[], Found | None], seconds: float, what: str) -> Found:
    """What ``look`` finds; fails if it finds nothing within ``seconds``."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        pause.wait(0.05)


@dataclass
class Hook:
    """One request that arrived, already checked; ``status`` 0: it was never answered."""

    at: float
    id: str
    type: str
    data: dict[str, Any]
    status: int

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300

    @property
    def alert_ids(self) -> set[int]:
        """The alerts that it tells of: one, or all of a bundle."""
        alerts = self.data["alerts"] if "alerts" in self.data else [self.data["alert"]]
        return {alert["id"] for alert in alerts}


@dataclass
class WebhookSink:
    """Standard Webhooks: verifies the signature, the size and the shape of each request.

    While ``hanging`` is set it takes requests and never answers; ``status`` is what it
    answers otherwise, with ``retry_after`` (seconds) if there is one. ``faults`` are
    broken promises of the sender.
    """

    secret: str
    hooks: list[Hook] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    status: int = 204
    retry_after: int | None = None
    hanging: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                hangs, released = sink.hanging.is_set(), sink.released
                status, retry_after = (0 if hangs else sink.status), sink.retry_after
                sink.take(self.headers, body, status)
                if hangs:
                    released.wait(60)
                    return
                self.send_response(status)
                if retry_after is not None:
                    self.send_header("Retry-After", str(retry_after))
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def fail(self, status: int, retry_after: int | None = None) -> None:
        self.retry_after, self.status = retry_after, status

    def hang(self) -> None:
        self.released = threading.Event()
        self.hanging.set()

    def recover(self) -> None:
        """Answer well again, and break off what hangs."""
        self.status, self.retry_after = 204, None
        self.hanging.clear()
        self.released.set()

    def take(self, headers: Any, body: bytes, status: int) -> None:
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        good = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        if f"v1,{good}" not in headers["webhook-signature"].split(" "):
            self.faults.append("the signature is wrong")
        if abs(time.time() - int(headers["webhook-timestamp"])) > 300:
            self.faults.append("the timestamp is not that of the attempt")
        payload = json.loads(body)
        if set(payload) != {"type", "timestamp", "data"}:
            self.faults.append(f"the shape is not that of a webhook: {sorted(payload)}")
        bundle = payload["type"].startswith("alerts.")
        if len(body) > (MOST_BYTES_OF_A_BUNDLE if bundle else MOST_BYTES):
            self.faults.append(f"{len(body)} bytes are too many")
        if bundle and not 2 <= len(payload["data"]["alerts"]) <= MOST_ALERTS:
            self.faults.append(f"a bundle of {len(payload['data']['alerts'])} alerts")
        hook = Hook(time.time(), headers["webhook-id"], payload["type"], payload["data"], status)
        self.hooks.append(hook)

    def of_type(self, kind: str) -> list[Hook]:
        """Messages of one alert or of many."""
        return [hook for hook in self.hooks if hook.type in {f"alert.{kind}", f"alerts.{kind}"}]

    def told(self, kind: str) -> set[int]:
        """The alerts of all messages of ``kind`` that were accepted."""
        return {each for hook in self.of_type(kind) if hook.accepted for each in hook.alert_ids}

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


def alert_ids(mail: EmailMessage) -> set[int]:
    """The alerts that a mail links to."""
    text = mail.get_body(("plain",))
    assert text is not None, "every mail has a plain text"
    return {int(found) for found in re.findall(r"/alerts/(\d+)", text.get_content())}


class MailSink:
    """A mail server that keeps what it is given; while ``refusing``, it takes nothing."""

    refusing = False

    def __init__(self) -> None:
        self.mails: list[tuple[float, str, EmailMessage]] = []
        self.controller = Controller(self, hostname="127.0.0.1", port=_free_port())
        self.controller.start()
        self.port = self.controller.port

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.refusing:
            return "421 Closing for today"
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append((time.time(), envelope.rcpt_tos[0], mail))
        return "250 OK"

    def told(self, address: str) -> set[int]:
        """The alerts that the mails to ``address`` link to."""
        return {each for mail in self.to(address) for each in alert_ids(mail)}

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for _, recipient, mail in self.mails if recipient == address]

    def close(self) -> None:
        self.controller.stop()


def _free_port() -> int:
    from tests.e2e.stack import free_port

    return free_port()
