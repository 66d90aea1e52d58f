"""The webhook channel against a real endpoint."""

import json
import socket
from typing import Any

import pytest
from marshmallow import ValidationError

from incidentrelay.channels.base import PermanentFailure, TemporaryFailure
from incidentrelay.channels.webhook.channel import (
    WebhookChannel,
    WebhookConfig,
    new_secret,
    payload,
    sign,
)
from incidentrelay.domain.enums import NotificationKind
from incidentrelay.domain.messages import Envelope, Links, Message
from incidentrelay.transport.http import HTTPClient
from tests.unit.channels.conftest import (
    NOW,
    SECRET,
    HTTPVendor,
    make_bundle,
    make_envelope,
    make_signals,
)

# The specification's own example.
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_signature_is_the_specifications() -> None:
    signature = sign(KEY, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_new_secrets_can_sign_and_differ() -> None:
    first, second = new_secret(), new_secret()
    assert first != second
    assert WebhookConfig().load({"url": "https://a.example/", "secret": first})["secret"] == first
    assert sign(first, "a", 1, b"") != sign(second, "a", 1, b"")


def test_the_channel_makes_secrets(http: HTTPClient) -> None:
    assert WebhookChannel(http).new_secret().startswith("whsec_")


def test_what_arrives_is_signed_and_complete(http: HTTPClient, http_vendor: HTTPVendor) -> None:
    config = {"url": http_vendor.url, "secret": KEY, "headers": {"Authorization": "Bearer x"}}
    result = WebhookChannel(http).send(make_envelope(), config)
    [(headers, body)] = http_vendor.requests
    assert headers["authorization"] == "Bearer x"
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == "17:1:0:page:user-3" == result.handle["webhook_id"]
    timestamp = int(NOW.timestamp())
    assert headers["webhook-timestamp"] == str(timestamp)
    assert headers["webhook-signature"] == sign(KEY, headers["webhook-id"], timestamp, body)
    assert result.delivered is False
    assert json.loads(body) == {
        "type": "alert.page",
        "timestamp": "2026-03-01T09:30:00Z",
        "data": {
            "headline": "Page",
            "alert": {
                "id": 17,
                "title": "Disk full on db1",
                "description": "97 % used\n3 GB left",
                "severity": "critical",
                "status": "firing",
                "team": "Databases",
                "assignee": "ann",
                "started_at": "2026-03-01T09:29:00+00:00",
                "acknowledged_by": None,
                "acknowledged_at": None,
                "signal_count": 3,
                "signals": [],
                "joined": 0,
                "labels": {"instance": "db1:9100", "job": "node"},
                "source_link": "https://prometheus.example/graph?g0=1",
                "runbook_link": "https://wiki.example/disk",
            },
            "links": {
                "console": "https://relay.example/alerts/17",
                "act": "https://relay.example/act/abc.def?x=1&y=2",
            },
        },
    }


def test_a_config_header_cannot_replace_ours(http: HTTPClient, http_vendor: HTTPVendor) -> None:
    config = {"url": http_vendor.url, "secret": KEY, "headers": {"Webhook-Id": "forged"}}
    WebhookChannel(http).send(make_envelope(), config)
    assert http_vendor.requests[0][0]["webhook-id"] == "17:1:0:page:user-3"


@pytest.mark.parametrize("key", ["a.b", "a b", "ä", "a\r\nb", "x" * 300, "\ud800"])
def test_an_unfit_key_becomes_a_stable_digest(
    http: HTTPClient, http_vendor: HTTPVendor, key: str
) -> None:
    base = make_envelope()
    envelope = Envelope(base.message, base.links, key, base.thread_key, base.now)
    channel, config = WebhookChannel(http), {"url": http_vendor.url, "secret": KEY}
    channel.send(envelope, config)
    channel.send(envelope, config)
    ids = {headers["webhook-id"] for headers, _ in http_vendor.requests}
    assert len(ids) == 1
    assert ids.pop().startswith("msg_")


def test_a_wait_that_is_asked_for_is_kept(http: HTTPClient, http_vendor: HTTPVendor) -> None:
    http_vendor.status, http_vendor.headers = 429, {"Retry-After": "30"}
    with pytest.raises(TemporaryFailure) as caught:
        WebhookChannel(http).send(make_envelope(), {"url": http_vendor.url, "secret": KEY})
    assert caught.value.retry_after is not None
    assert caught.value.retry_after.total_seconds() == 30


def test_a_redirect_is_a_refusal(http: HTTPClient, http_vendor: HTTPVendor) -> None:
    http_vendor.status, http_vendor.headers = 307, {"Location": f"https://b.example/{SECRET}"}
    with pytest.raises(TemporaryFailure, match=r"towards https://b\.example:443") as caught:
        WebhookChannel(http).send(make_envelope(), {"url": http_vendor.url, "secret": KEY})
    assert SECRET not in caught.value.reason
    assert caught.value.refused is True


def test_an_inner_address_is_permanent(http_vendor: HTTPVendor) -> None:
    channel = WebhookChannel(HTTPClient())
    with pytest.raises(PermanentFailure, match="may not be reached"):
        channel.send(make_envelope(), {"url": http_vendor.url, "secret": KEY})
    assert http_vendor.requests == []


@pytest.mark.parametrize("secret", [None, "", "whsec_", "whsec_@@", "s3cr3t"])
def test_nothing_goes_out_unsigned(
    http: HTTPClient, http_vendor: HTTPVendor, secret: str | None
) -> None:
    config = {"url": http_vendor.url} | ({"secret": secret} if secret is not None else {})
    with pytest.raises(PermanentFailure, match="no usable signing secret") as caught:
        WebhookChannel(http).send(make_envelope(), config)
    assert SECRET not in caught.value.reason
    assert http_vendor.requests == []


def test_a_test_has_no_alert_id() -> None:
    body = payload(make_envelope(kind=NotificationKind.TEST, alert_id=None, links=Links()))
    assert body["type"] == "alert.test"
    assert body["data"]["alert"]["id"] is None
    assert body["data"]["links"] == {"console": None, "act": None}


def test_the_payload_is_bounded() -> None:
    labels = {f"label{number}": "v" * 10_000 for number in range(1000)}
    body = payload(make_envelope(title="x" * 10_000, description="y" * 10**6, labels=labels))
    assert len(json.dumps(body)) < 50_000


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({}, "url"),
        ({"url": "ftp://a.example/"}, "url"),
        ({"url": "https://u:p@a.example/"}, "url"),
        ({"url": "https://a.example/", "secret": "abc"}, "secret"),
        ({"url": "https://a.example/", "secret": "whsec_YWJj"}, "secret"),
        ({"url": "https://a.example/", "headers": {"Host": "b"}}, "headers"),
        ({"url": "https://a.example/", "headers": {"Content-Length": "1"}}, "headers"),
        ({"url": "https://a.example/", "headers": {"Transfer-Encoding": "chunked"}}, "headers"),
        ({"url": "https://a.example/", "headers": {"webhook-signature": "v1,x"}}, "headers"),
        ({"url": "https://a.example/", "headers": {"X A": "b"}}, "headers"),
        ({"url": "https://a.example/", "headers": {"X-A\n": "b"}}, "headers"),
        ({"url": "https://a.example/", "headers": {"X-A": "b\r\nX-B: c"}}, "headers"),
        ({"url": "https://a.example/", "headers": {"X-A": "b\n"}}, "headers"),
        ({"url": "https://a.example/", "headers": {"X-A": "ü"}}, "headers"),
        ({"url": "https://a.example/", "headers": {"X-A": "b" * 1001}}, "headers"),
        ({"url": "https://a.example/", "headers": {f"X-{n}": "b" for n in range(21)}}, "headers"),
        ({"url": "https://a.example/", "extra": 1}, "extra"),
    ],
)
def test_a_bad_config_names_the_field(config: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        WebhookConfig().load(config)
    assert isinstance(caught.value.messages, dict)
    assert list(caught.value.messages) == [field]


def test_an_endpoint_that_is_away_may_come_back(http: HTTPClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(TemporaryFailure, match="Connection refused") as caught:
        WebhookChannel(http).send(
            make_envelope(), {"url": f"http://127.0.0.1:{port}/{SECRET}", "secret": KEY}
        )
    assert caught.value.unknown is False
    assert SECRET not in caught.value.reason


def test_many_alerts_share_a_request(http: HTTPClient, http_vendor: HTTPVendor) -> None:
    WebhookChannel(http).send(make_bundle(7), {"url": http_vendor.url, "secret": KEY})
    [(headers, body)] = http_vendor.requests
    sent = json.loads(body)
    assert headers["webhook-id"] == "bundle-17"
    assert sent["type"] == "alerts.page"
    assert set(sent["data"]) == {"headline", "count", "alerts", "links"}
    assert sent["data"]["count"] == 7
    assert sent["data"]["links"] == {"console": "https://relay.example/alerts", "act": None}
    alone = payload(make_envelope())["data"]
    for number, alert in enumerate(sent["data"]["alerts"]):
        assert alert["id"] == number
        assert alert["links"]["console"] == f"https://relay.example/alerts/{number}"
        assert set(alert) == {*alone["alert"], "links"}


def test_the_signals_are_listed_with_their_own_labels() -> None:
    envelope = make_envelope(signals=make_signals("db1", "db2"), signal_count=2)
    alert = payload(envelope)["data"]["alert"]
    assert alert["signals"][1] == {
        "title": "Disk full on db2",
        "severity": "critical",
        "status": "firing",
        "started_at": "2026-03-01T09:28:40+00:00",
        "labels": {"instance": "db2:9100", "job": "node"},
        "link": "https://prometheus.example/graph?g0=db2",
    }


def test_an_acknowledgement_says_who_and_when() -> None:
    at = "2026-03-01T09:29:30+00:00"
    envelope = make_envelope(acknowledged_by="Ann", acknowledged_at=at)
    alert = payload(envelope)["data"]["alert"]
    assert (alert["acknowledged_by"], alert["acknowledged_at"]) == ("Ann", at)


def test_a_message_survives_being_stored() -> None:
    message = make_envelope(signals=make_signals("db1", "db2"), joined=2).message
    assert Message.from_json(json.loads(json.dumps(message.to_json()))) == message
