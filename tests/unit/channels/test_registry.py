"""The registry, and plug-ins that behave badly."""

import logging
import sys
from importlib.metadata import EntryPoint
from types import ModuleType, SimpleNamespace

import pytest

from incidentrelay.channels.base import ChannelKind
from incidentrelay.channels.inbox.channel import InboxChannel
from incidentrelay.channels.registry import GROUP, Registry, default_registry
from incidentrelay.channels.webhook.channel import WebhookChannel
from incidentrelay.domain.errors import NotFound
from incidentrelay.transport.http import HTTPClient

WITH_PAGER = (
    *("discord", "email", "inbox", "mattermost", "ntfy", "pager", "slack", "teams", "telegram"),
    "webhook",
)


class PagerChannel(InboxChannel):
    info = type(InboxChannel.info)("pager", "Pager", "x", InboxChannel.info.config_schema)


def good(http: HTTPClient) -> ChannelKind:
    return PagerChannel()


def taken(http: HTTPClient) -> ChannelKind:
    return WebhookChannel(http)


def internal(http: HTTPClient) -> ChannelKind:
    return InboxChannel()


def failing(http: HTTPClient) -> ChannelKind:
    raise RuntimeError("bad plug-in")


def nothing(http: HTTPClient) -> object:
    return object()


def odd(http: HTTPClient) -> object:
    return SimpleNamespace(info="a name", send=print)


@pytest.fixture(autouse=True)
def plugin_module(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("pager_plugin")
    for function in (good, taken, internal, failing, nothing, odd):
        setattr(module, function.__name__, function)
    monkeypatch.setitem(sys.modules, "pager_plugin", module)


def plugin(name: str) -> EntryPoint:
    return EntryPoint(name, f"pager_plugin:{name}", GROUP)


def test_a_plugin_becomes_a_channel(http: HTTPClient) -> None:
    registry = default_registry(http, None, plugins=[plugin("good")])
    assert registry.names() == WITH_PAGER
    assert [info.name for info in registry.infos()] == list(registry.names())


@pytest.mark.parametrize("name", ["failing", "nothing", "odd", "internal", "missing"])
def test_a_broken_plugin_is_logged_and_left_out(
    http: HTTPClient, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        registry = default_registry(http, None, plugins=[plugin(name), plugin("good")])
    assert registry.names() == WITH_PAGER
    assert f"The channel plug-in {name} is broken" in caplog.text


def test_a_name_that_is_taken_is_an_error(http: HTTPClient) -> None:
    with pytest.raises(ValueError, match="two channels called 'webhook'"):
        default_registry(http, None, plugins=[plugin("taken")])


def test_what_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound, match="no channel called 'fax'"):
        Registry().get("fax")
