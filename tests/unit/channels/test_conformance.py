"""Requirements of every channel."""

from typing import Any

import pytest
from marshmallow import RAISE

from incidentrelay.channels import kinds
from incidentrelay.channels.base import (
    DeliveryFailure,
    PermanentFailure,
    SendResult,
    TemporaryFailure,
)
from incidentrelay.channels.registry import Registry, default_registry
from incidentrelay.domain.enums import AlertStatus, NotificationKind, Severity
from incidentrelay.domain.messages import Links
from incidentrelay.transport.http import HTTPClient
from tests.unit.channels.conftest import SECRET, Fake, make_envelope

INFOS = default_registry(None, None, plugins=()).infos()  # type: ignore[arg-type]
BUILT_IN = tuple(info.name for info in INFOS)
WITH_VENDOR = tuple(info.name for info in INFOS if not info.internal)
CAPABILITIES = {"edit", "buttons", "verify", "personal"}

HOSTILE: dict[str, dict[str, Any]] = {
    "newlines": {"title": "a\r\nBcc: evil@example.org\r\n\r\nb", "headline": "x\r\ny"},
    "markup": {"title": "<script>alert(1)</script>", "team": '"><img src=x onerror=1>'},
    "template": {"title": "{{ 7 * 7 }}{% for %}", "description": "{{ config }}"},
    "huge": {"title": "x" * 10_000, "description": "y\n" * 100_000},
    "right-to-left": {"title": "\u202egnp.exe \u0627\u0644\u062e\u0627\u062f\u0645"},
    "controls": {"title": "a\x00b\x1b[31mc\x7f", "description": "\x00\u2028\x85"},
    "surrogate": {"title": "\ud800", "labels": {"\udfff": "\ud800"}},
    "empty": {"title": "", "headline": "", "description": "", "labels": {}},
    "links": {"source_link": "javascript:alert(1)", "runbook_link": "data:text/html,x"},
    "labels": {"labels": {f"label{n}\n": "v\r\n" * 500 for n in range(200)}},
    "no times": {"started_at": "yesterday", "assignee": None},
}


@pytest.fixture(params=BUILT_IN)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def config(name: str, fakes: dict[str, Fake]) -> dict[str, Any]:
    return fakes[name].config if name in fakes else {}


def test_it_describes_itself(registry: Registry, name: str, config: dict[str, Any]) -> None:
    info = registry.get(name).info
    assert info.name == name
    assert info.label
    assert info.word == info.word.strip() != ""
    assert info.docs == f"channels/{name}"
    assert info.capabilities <= CAPABILITIES
    schema = info.config_schema()
    assert schema.unknown == RAISE
    assert info.secrets <= schema.fields.keys()
    assert schema.load(config) == config


def test_it_delivers(registry: Registry, name: str, config: dict[str, Any]) -> None:
    assert isinstance(registry.get(name).send(make_envelope(), config), SendResult)


@pytest.mark.parametrize("kind", NotificationKind)
@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("status", AlertStatus)
def test_it_takes_every_message(
    registry: Registry, kind: NotificationKind, severity: Severity, status: AlertStatus,
    fakes: dict[str, Fake],
) -> None:  # fmt: skip
    envelope = make_envelope(kind=kind, severity=severity, status=status, links=Links())
    for name in BUILT_IN:
        registry.get(name).send(envelope, fakes[name].config if name in fakes else {})
    assert all(len(fake.received()) == 1 for fake in fakes.values())


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_text_does_no_harm(
    registry: Registry, name: str, config: dict[str, Any], fakes: dict[str, Fake], case: str
) -> None:
    registry.get(name).send(make_envelope(**HOSTILE[case]), config)
    for content in fakes[name].received() if name in fakes else []:
        assert len(content) < 150_000
        for bad in (b"\x00", b"\x1b", "\u202e".encode(), b"javascript:", b"data:text"):
            assert bad not in content


@pytest.mark.parametrize("name", WITH_VENDOR)
def test_a_failure_that_may_pass_is_temporary(
    registry: Registry, name: str, fakes: dict[str, Fake]
) -> None:
    fakes[name].fail_for_now()
    with pytest.raises(TemporaryFailure) as caught:
        registry.get(name).send(make_envelope(), fakes[name].config)
    assert_explained(caught.value)
    assert caught.value.unknown is False


@pytest.mark.parametrize("name", WITH_VENDOR)
def test_a_refusal_is_tried_again_for_a_few_minutes(
    registry: Registry, name: str, fakes: dict[str, Fake]
) -> None:
    """A restarting vendor refuses too, so it is neither gone nor down."""
    fakes[name].refuse()
    with pytest.raises(TemporaryFailure) as caught:
        registry.get(name).send(make_envelope(), fakes[name].config)
    assert_explained(caught.value)
    assert (caught.value.refused, caught.value.down) == (True, False)


@pytest.mark.parametrize("name", WITH_VENDOR)
def test_a_failure_that_will_not_pass_is_permanent(
    registry: Registry, name: str, fakes: dict[str, Fake]
) -> None:
    fakes[name].fail_for_good()
    with pytest.raises(PermanentFailure) as caught:
        registry.get(name).send(make_envelope(), fakes[name].config)
    assert_explained(caught.value)


def assert_explained(failure: DeliveryFailure) -> None:
    """One printable line, bounded, without a secret anywhere in the chain of causes."""
    assert failure.reason
    assert failure.reason.isprintable()
    assert len(failure.reason) <= 600
    link: BaseException | None = failure
    while link is not None:
        assert SECRET not in str(link) + repr(link)
        link = link.__cause__


def test_without_a_mail_server_the_channel_says_so(http: HTTPClient) -> None:
    channel = default_registry(http, None, plugins=()).get("email")
    with pytest.raises(PermanentFailure) as caught:
        channel.send(make_envelope(), {"to": ["ann@example.org"]})
    assert caught.value.reason == "E-mail is not set up: set incidentrelay.smtp.host"


def test_the_inbox_has_it_at_once(registry: Registry) -> None:
    result = registry.get("inbox").send(make_envelope(), {})
    assert result.delivered is True
    assert "personal" in registry.get("inbox").info.capabilities


def test_a_channel_with_secrets_says_where_they_go(registry: Registry) -> None:
    """Without it, a kept secret would be sent to a changed destination."""
    for name in registry.names():
        info = registry.get(name).info
        assert info.destinations <= info.config_schema().fields.keys(), name
        assert info.destinations or not info.secrets, f"{name}: add destinations to its ChannelInfo"


def test_what_services_need_follows_from_the_declarations(registry: Registry) -> None:
    assert ("inbox", "email", {"inbox"}) == (kinds.INBOX, kinds.PROFILE, kinds.INTERNAL)
    assert {name: kinds.word_of(name) for name in registry.names()} == {
        info.name: info.word for info in registry.infos()
    }
    assert kinds.word_of("pigeon") == "pigeon"
