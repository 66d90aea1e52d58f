"""Integrations are registered in one place, and a broken one harms no other."""

import logging
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from incidentrelay.domain.errors import NotFound
from incidentrelay.domain.intake.signals import SignalItem
from incidentrelay.integrations import default_registry
from incidentrelay.integrations.base import IntegrationInfo
from incidentrelay.integrations.registry import (
    ENTRY_POINT_GROUP,
    BadIntegration,
    DuplicateIntegration,
    IntegrationRegistry,
)


class Pager:
    def __init__(self, name: str = "pager") -> None:
        self.info = IntegrationInfo(name, "Pager", "pager")

    def normalise(self, payload: Any, headers: Mapping[str, str]) -> Sequence[SignalItem]:
        return []


class Nameless:
    """It is no integration: it has no info."""


class Mute:
    info = IntegrationInfo("mute", "Mute", "mute")


class Broken(Pager):
    def __init__(self) -> None:
        raise RuntimeError("it needs a file that is not there")


ready = Pager("ready")


def point(target: str) -> EntryPoint:
    return EntryPoint(target.lower(), f"{__name__}:{target}", ENTRY_POINT_GROUP)


def test_the_built_in_ones_are_there() -> None:
    registry = default_registry()
    assert registry.names()[:3] == ("alertmanager", "zabbix", "webhook")
    for name in registry.names():
        assert registry.get(name).info.name == name


def test_what_is_registered_is_found() -> None:
    registry = IntegrationRegistry()
    pager = Pager()
    registry.register(pager)
    assert registry.get("pager") is pager
    assert registry.names() == ("pager",)


def test_an_unknown_name_is_not_found() -> None:
    with pytest.raises(NotFound, match="no integration named pager"):
        IntegrationRegistry().get("pager")


def test_a_name_belongs_to_one_integration() -> None:
    registry = IntegrationRegistry()
    registry.register(Pager())
    with pytest.raises(DuplicateIntegration, match="pager"):
        registry.register(Pager())


@pytest.mark.parametrize("name", ["", "Pager", "a/b", "a b", "-a", "a\n"])
def test_a_name_is_a_part_of_a_url(name: str) -> None:
    with pytest.raises(BadIntegration):
        IntegrationRegistry().register(Pager(name))


@pytest.mark.parametrize("thing", [Nameless(), Mute(), None])
def test_only_integrations_are_registered(thing: Any) -> None:
    with pytest.raises(BadIntegration):
        IntegrationRegistry().register(thing)


def test_plugins_are_classes_or_objects() -> None:
    registry = IntegrationRegistry()
    registry.load_plugins([point("Pager"), point("ready")])
    assert registry.names() == ("pager", "ready")


@pytest.mark.parametrize("target", ["Broken", "Nameless", "Mute", "missing"])
def test_a_broken_plugin_is_logged_and_left_out(
    target: str, caplog: pytest.LogCaptureFixture
) -> None:
    registry = IntegrationRegistry()
    with caplog.at_level(logging.ERROR):
        registry.load_plugins([point(target), point("Pager")])
    assert registry.names() == ("pager",)
    [record] = caplog.records
    assert target.lower() in record.getMessage()
    assert record.exc_info is not None


def test_a_plugin_cannot_take_a_name() -> None:
    registry = IntegrationRegistry()
    registry.register(Pager())
    with pytest.raises(DuplicateIntegration):
        registry.load_plugins([point("Pager")])
