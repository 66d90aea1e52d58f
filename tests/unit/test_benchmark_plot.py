"""The benchmark's figures of growth."""

import xml.etree.ElementTree as ET

import pytest

from benchmarks.plot import draw_growth, exponents

FIGURES = {
    f"sqlite {size}": {
        "flat": {"p50 ms": [3.0], "p95 ms": [4.0]},
        "linear": {"p50 ms": [size / 100]},
        "<others>": {"rows": [1.0]},
    }
    for size in (1_000, 10_000, 100_000)
}


def test_exponents_tell_flat_from_linear() -> None:
    found = exponents(FIGURES, "sqlite")
    assert found == {"flat": pytest.approx(0, abs=1e-9), "linear": pytest.approx(1)}
    assert exponents(FIGURES, "postgresql") == {}


def test_a_plot_has_a_line_for_each_read() -> None:
    root = ET.fromstring(draw_growth(FIGURES))
    lines = [node for node in root.iter() if node.tag.endswith("polyline")]
    assert [len(str(line.get("points")).split()) for line in lines] == [3, 3]
