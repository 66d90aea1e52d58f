"""Colours: text is readable, and people are distinguishable."""

import re
from pathlib import Path

import pytest

from incidentrelay.domain.calendar_grid import HUES

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def palettes() -> dict[str, dict[str, str]]:
    light, dark = (FRONTEND / "palette.css").read_text().split("@media", 1)
    first, second = (dict(re.findall(r"--ir-([\w-]+): (#\w{6})", part)) for part in (light, dark))
    return {"light": first, "dark": first | second}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_enough_contrast(theme: str) -> None:
    colours = palettes()[theme]
    severities = ("critical", "high", "medium", "warning", "low", "info")
    pairs = [(f"{name}-ink", f"{name}-bg") for name in severities]
    pairs += [
        ("accent-ink", "accent"),
        ("accent-ink", "accent-strong"),
        ("resolved", "resolved-bg"),
    ]
    pairs += [(f"who-{hue}-ink", f"who-{hue}-bg") for hue in range(HUES)]
    pairs += [("medium-ink", ground) for ground in ("page", "surface", "raised")]
    texts = ("ink", "dim", "link", "firing", "acknowledged", "resolved")
    pairs += [(text, ground) for text in texts for ground in ("page", "surface", "raised")]
    for text, ground in pairs:
        low, high = sorted((luminance(colours[text]), luminance(colours[ground])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, f"{text} on {ground}"


def test_everybody_has_a_colour() -> None:
    sheet = (FRONTEND / "people.css").read_text()
    assert re.findall(r"^\.ir-who-(\d+) {", sheet, re.M) == [str(hue) for hue in range(HUES)]
    for theme in ("light", "dark"):
        assert len({palettes()[theme][f"who-{hue}-bg"] for hue in range(HUES)}) == HUES
