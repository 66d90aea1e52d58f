"""Every sample payload becomes exactly the expected signals beside it."""

import json
import re
from dataclasses import MISSING, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import incidentrelay
from incidentrelay.domain.intake.signals import IncomingSignal, Rejection, SignalItem
from incidentrelay.integrations import default_registry

PACKAGE = Path(incidentrelay.__file__).parent
SAMPLES = PACKAGE / "integrations" / "samples"
DOCS = PACKAGE.parent / "docs" / "integrations"
PAYLOADS = sorted(p for p in SAMPLES.glob("*/*.json") if not p.name.endswith(".expected.json"))
REGISTRY = default_registry()


def as_json(item: SignalItem) -> dict[str, Any]:
    """An item as the samples write it: without what is at its default."""
    if isinstance(item, Rejection):
        return {"rejected": item.reason}
    found: dict[str, Any] = {}
    for field in fields(IncomingSignal):
        value = getattr(item, field.name)
        default = {} if field.default_factory is not MISSING else field.default
        if value != default:
            found[field.name] = value.isoformat() if isinstance(value, datetime) else value
    return found


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_a_sample_becomes_what_is_expected(path: Path) -> None:
    payload = json.loads(path.read_text("utf-8"))
    items = REGISTRY.get(path.parent.name).normalise(payload, {})
    expected = json.loads(path.with_suffix(".expected.json").read_text("utf-8"))
    assert [as_json(item) for item in items] == expected


def test_every_integration_has_samples_and_a_page() -> None:
    assert {path.parent.name for path in PAYLOADS} == set(REGISTRY.names())
    for name in REGISTRY.names():
        assert (DOCS / f"{REGISTRY.get(name).info.docs}.md").is_file()


@pytest.mark.parametrize("name", REGISTRY.names())
def test_the_payloads_of_a_page_are_samples(name: str) -> None:
    samples = [json.loads(path.read_text("utf-8")) for path in PAYLOADS if path.parent.name == name]
    page = (DOCS / f"{REGISTRY.get(name).info.docs}.md").read_text("utf-8")
    blocks = re.findall(r"^```json\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        assert json.loads(block) in samples
