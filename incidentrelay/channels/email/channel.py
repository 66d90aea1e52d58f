"""E-mail: one message for each recipient, as text and HTML."""

import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from incidentrelay.channels.base import (
    ChannelInfo,
    DeliveryFailure,
    NotSetUp,
    PermanentFailure,
    Personal,
    SendResult,
    TemporaryFailure,
)
from incidentrelay.channels.render import one_line, render, web_link
from incidentrelay.domain.enums import AlertStatus, NotificationKind, Severity
from incidentrelay.domain.messages import Envelope, Links
from incidentrelay.transport.smtp import (
    MAIL_POLICY,
    Blocked,
    Refused,
    SMTPServer,
    TransportError,
    connect,
)

_LONGEST_SUBJECT = 200
# Some mail programs hide what comes after 100 kB.
_MOST_LABELS = 40
_ABOUT_NO_ALERT = frozenset({NotificationKind.VERIFICATION, NotificationKind.SHIFT})
_NOT_SET_UP = "E-mail is not set up: set incidentrelay.smtp.host"


def _check_address(value: str) -> None:
    if not value.isascii() or len(value) > 254:
        raise ValidationError("It is not an e-mail address that can be used here.")


def _check_distinct(values: Sequence[str]) -> None:
    if len({value.casefold() for value in values}) != len(values):
        raise ValidationError("An address is listed twice.")


class EmailConfig(Schema):
    """Who gets the mail."""

    to = fields.List(
        fields.Email(validate=_check_address),
        required=True,
        validate=[validate.Length(min=1, max=20), _check_distinct],
        metadata={
            "label": "Recipients",
            "description": "Addresses; each gets a message of its own.",
        },
    )


def personal_address(value: str) -> str:
    """Check a person's address; raises ValueError."""
    text = value.strip()
    try:
        EmailConfig().load({"to": [text]})
    except ValidationError:
        raise ValueError("This is not an e-mail address.") from None
    return text


class EmailChannel:
    info = ChannelInfo(
        name="email",
        label="E-mail",
        word="e-mail",
        docs="channels/email",
        config_schema=EmailConfig,
        capabilities=frozenset({"personal"}),
        personal=Personal("E-mail address", personal_address, input_type="email", in_profile=True),
    )

    def __init__(self, server: SMTPServer | None) -> None:
        self._server = server
        self.time_limit = server.total_deadline if server else None

    def send(self, envelope: Envelope, config: Mapping[str, Any]) -> SendResult:
        """One message for each address, in one conversation with the server.

        A refused address does not affect the others: the result's detail names it. If all are
        refused, the server may be restarting, and they are tried again for a few minutes. If
        any may work later, TemporaryFailure is raised and the next attempt sends to all again,
        with the same Message-ID, which mail programs show once: late is worse than twice.
        """
        if self._server is None:
            raise NotSetUp(_NOT_SET_UP)
        accepted, failures = self._deliver(self._server, envelope, config["to"])
        outcome = one_line(" ".join([*accepted, *(failure.reason for failure in failures)]), 500)
        passing = [failure for failure in failures if isinstance(failure, TemporaryFailure)]
        later = [failure for failure in passing if not failure.refused]
        if later:
            unknown = bool(accepted) or any(failure.unknown for failure in later)
            raise TemporaryFailure(
                outcome, unknown=unknown, down=any(failure.down for failure in later)
            )
        if not accepted:
            raise TemporaryFailure(outcome, refused=True) if passing else PermanentFailure(outcome)
        thread = message_id("thread", envelope.thread_key, self._server.domain)
        return SendResult({"thread": thread}, detail=outcome)

    def _deliver(
        self, server: SMTPServer, envelope: Envelope, recipients: Sequence[str]
    ) -> tuple[list[str], list[DeliveryFailure]]:
        """What was accepted (as sentences) and what failed, by recipient.

        Raises if the server cannot be used at all: trying again for each recipient would only
        lock the account.
        """
        accepted: list[str] = []
        failures: list[DeliveryFailure] = []
        with _translated(), connect(server) as session:
            for recipient in recipients:
                message = compose(server, envelope, recipient)
                try:
                    with _translated(recipient):
                        reply = session.deliver(recipient, message)
                except DeliveryFailure as failure:
                    failures.append(failure)
                else:
                    accepted.append(f"{recipient}: {reply}.")
        return accepted, failures


@contextlib.contextmanager
def _translated(recipient: str | None = None) -> Iterator[None]:
    """Turn the transport's failures into the channel's, about ``recipient``."""
    about = f"{recipient}: " if recipient else ""
    try:
        yield
    except Blocked as error:
        raise PermanentFailure(about + error.reason) from error
    except Refused as error:
        if error.final:
            raise PermanentFailure(about + error.reason) from error
        raise TemporaryFailure(about + error.reason, refused=True) from error
    except TransportError as error:
        raise TemporaryFailure(
            about + error.reason, unknown=error.unknown, down=not (recipient and error.answered)
        ) from error


def compose(server: SMTPServer, envelope: Envelope, recipient: str) -> EmailMessage:
    """The message for ``recipient``; every attempt differs only in its Date.

    All messages about one alert have one (never sent) root, so that mail programs show them as
    one conversation. The subject begins with the alert's state, because mail lists show little
    else.
    """
    message, values = envelope.message, _template_values(envelope)
    mail = EmailMessage(policy=MAIL_POLICY)
    mail["From"] = server.sender
    mail["To"] = recipient
    mail["Subject"] = one_line(render("email", "subject", **values), _LONGEST_SUBJECT)
    mail["Date"] = format_datetime(envelope.now)
    identity = f"{envelope.idempotency_key} {recipient.casefold()}"
    root = message_id("thread", envelope.thread_key, server.domain)
    mail["Message-ID"] = message_id("message", identity, server.domain)
    mail["In-Reply-To"] = root
    mail["References"] = root
    # Prevents absence notes and read receipts.
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    if message.severity is Severity.CRITICAL and message.status is AlertStatus.FIRING:
        mail["X-Priority"] = "1"
        mail["Importance"] = "high"
    mail.set_content(render("email", "text", **values))
    mail.add_alternative(render("email", "html", **values), subtype="html")
    return mail


def _template_values(envelope: Envelope) -> dict[str, Any]:
    message = envelope.message
    links = Links(web_link(envelope.links.console), web_link(envelope.links.act))
    can_act = links.act is not None and message.status is AlertStatus.FIRING
    return {
        "message": message,
        "about_alert": message.kind not in _ABOUT_NO_ALERT,
        "state": _state(envelope),
        "zone": envelope.zone,
        "links": links,
        "can_act": can_act,
        "labels": list(message.labels.items())[:_MOST_LABELS],
        "signals": message.signals if message.signal_count > 1 or message.joined else (),
        "signals_left_out": (message.joined or message.signal_count) - len(message.signals),
        "labels_left_out": max(0, len(message.labels) - _MOST_LABELS),
        "parts": envelope.parts,
        # Anyone with such a link can act in the recipient's name.
        "private": can_act or any(part.links.act for part in envelope.parts),
    }


def _state(envelope: Envelope) -> str:
    statuses = {part.message.status for part in envelope.parts} or {envelope.message.status}
    if len(statuses) > 1:
        return "UPDATE"
    [status] = statuses
    return "REOPENED" if envelope.reopened and status is AlertStatus.FIRING else status.upper()


def message_id(kind: str, key: str, domain: str) -> str:
    """``<kind.digest@domain>``: always the same for the same key, and legal for any key."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:40]
    return f"<{kind}.{digest}@{domain}>"
