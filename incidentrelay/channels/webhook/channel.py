"""Any HTTP endpoint, by the Standard Webhooks specification 1.0.0."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from incidentrelay.channels.base import ChannelInfo, PermanentFailure, SendResult
from incidentrelay.channels.config_fields import url_field
from incidentrelay.channels.render import block, one_line, web_link
from incidentrelay.channels.replies import post
from incidentrelay.channels.signing import check_secret, new_secret, sign
from incidentrelay.domain.messages import Envelope, Links, Message, SignalLine
from incidentrelay.transport.http import HTTPClient

__all__ = ["WebhookChannel", "WebhookConfig", "new_secret", "payload", "sign"]

_MOST_LABELS = 64
_PLAIN_ID = re.compile(r"[A-Za-z0-9_:-]{1,200}", re.ASCII)
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", re.ASCII)
_HEADER_VALUE = re.compile(r"[!-~]([ -~]{0,998}[!-~])?\Z", re.ASCII)
# Set by us or by the connection, or meant for a proxy on the way.
_RESERVED = frozenset(
    (
        *("accept-encoding", "connection", "content-encoding", "content-length", "content-type"),
        *("expect", "host", "keep-alive", "proxy-authenticate", "proxy-authorization"),
        *("proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"),
        *("webhook-id", "webhook-signature", "webhook-timestamp"),
    )
)


def _check_secret(value: str) -> None:
    try:
        check_secret(value)
    except ValueError:
        raise ValidationError("It is whsec_ and then 24 to 64 bytes in base64.") from None


def _check_header_name(value: str) -> None:
    if not _HEADER_NAME.fullmatch(value):
        raise ValidationError("It is not the name of a header.")
    if value.lower() in _RESERVED:
        raise ValidationError("This header cannot be chosen.")


class WebhookConfig(Schema):
    """Without a ``secret``, :func:`new_secret` creates one."""

    url = url_field("Where to POST to.")
    secret = fields.String(
        validate=_check_secret,
        metadata={"label": "Signing secret", "description": "Signs every request (whsec_…)."},
    )
    headers = fields.Dict(
        keys=fields.String(validate=_check_header_name),
        values=fields.String(
            validate=validate.Regexp(
                _HEADER_VALUE, error="It holds characters that a header cannot, or is too long."
            )
        ),
        validate=validate.Length(max=20),
        metadata={"description": "Sent with every request, for example Authorization."},
    )


class WebhookChannel:
    info = ChannelInfo(
        name="webhook",
        label="Webhook",
        word="webhook",
        docs="channels/webhook",
        config_schema=WebhookConfig,
        secrets=frozenset({"url", "secret", "headers"}),
        destinations=frozenset({"url"}),
    )
    # Saving a channel without a secret asks its kind for one.
    new_secret = staticmethod(new_secret)

    def __init__(self, http: HTTPClient) -> None:
        self._http = http
        self.time_limit = http.total_deadline if http else None

    def send(self, envelope: Envelope, config: Mapping[str, Any]) -> SendResult:
        """One signed POST. Every 2xx counts as accepted."""
        body = json.dumps(payload(envelope)).encode("ascii")
        message_id = _message_id(envelope.idempotency_key)
        timestamp = int(envelope.now.timestamp())
        try:
            signature = sign(config.get("secret", ""), message_id, timestamp, body)
        except ValueError:
            raise PermanentFailure("The webhook has no usable signing secret.") from None
        headers = {
            **(config.get("headers") or {}),
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature,
        }
        response = post(self._http, config["url"], content=body, headers=headers, now=envelope.now)
        return SendResult({"webhook_id": message_id}, detail=f"Answered {response.status}.")


def payload(envelope: Envelope) -> dict[str, Any]:
    """The JSON body; docs/channels/webhook.md describes it to receivers."""
    message, parts = envelope.message, envelope.parts
    data: dict[str, Any] = {"headline": one_line(message.headline)}
    if parts:
        alerts = [_alert(part.message) | {"links": _links(part.links)} for part in parts]
        data |= {"count": len(parts), "alerts": alerts}
    else:
        data |= {"alert": _alert(message)}
    return {
        "type": f"alerts.{message.kind}" if parts else f"alert.{message.kind}",
        "timestamp": envelope.now.isoformat().replace("+00:00", "Z"),
        "data": data | {"links": _links(envelope.links)},
    }


def _links(links: Links) -> dict[str, str | None]:
    return {"console": links.console, "act": links.act}


def _alert(message: Message) -> dict[str, Any]:
    labels = list(message.labels.items())[:_MOST_LABELS]
    return {
        "id": message.alert_id,
        "title": one_line(message.title, 500),
        "description": block(message.description),
        "severity": message.severity,
        "status": message.status,
        "team": message.team,
        "assignee": message.assignee,
        "started_at": message.started_at or None,
        "acknowledged_by": message.acknowledged_by,
        "acknowledged_at": message.acknowledged_at,
        "signal_count": message.signal_count,
        "signals": [_signal(signal) for signal in message.signals],
        "joined": message.joined,
        "labels": {one_line(name): one_line(value, 500) for name, value in labels},
        "source_link": web_link(message.source_link),
        "runbook_link": web_link(message.runbook_link),
    }


def _signal(signal: SignalLine) -> dict[str, Any]:
    return {
        "title": one_line(signal.title, 500),
        "severity": signal.severity,
        "status": signal.status,
        "started_at": signal.started_at,
        "labels": {one_line(name): one_line(value, 500) for name, value in signal.labels.items()},
        "link": web_link(signal.link),
    }


def _message_id(key: str) -> str:
    """``key``, or a digest of it if a header cannot hold it or it has a dot."""
    if _PLAIN_ID.fullmatch(key):
        return key
    return "msg_" + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
