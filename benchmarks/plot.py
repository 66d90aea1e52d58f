"""How reads grow with the number of alerts: exponents, and a plot as SVG.

An exponent of 0 is flat, 1 is in proportion to the number of alerts.
"""

import math
import statistics
from collections.abc import Mapping
from html import escape

# database and size → case → name → values, as in Report.figures.
Figures = Mapping[str, Mapping[str, Mapping[str, list[float]]]]
Curve = list[tuple[int, float]]

_NAME = "p50 ms"
_WIDTH, _HEIGHT, _LEFT, _TOP, _LEGEND = 460, 320, 50, 20, 260
_LOW, _HIGH = 0, 4  # 1 ms to 10 s
_STYLE = (
    "text{font:12px sans-serif;fill:currentColor}"
    "polyline{fill:none;stroke-width:2}.grid{stroke:currentColor;opacity:.2}"
)


def curves(figures: Figures, kind: str) -> dict[str, Curve]:
    """For each read of a kind of database the (number of alerts, median in ms), by number."""
    found: dict[str, Curve] = {}
    for label, cases in figures.items():
        database, _, size = label.partition(" ")
        if database != kind or not size.isdigit():
            continue
        for case, names in cases.items():
            if _NAME in names:
                found.setdefault(case, []).append((int(size), statistics.median(names[_NAME])))
    return {case: sorted(points) for case, points in found.items()}


def exponents(figures: Figures, kind: str) -> dict[str, float]:
    """The exponent of each read: the slope of its curve with both axes logarithmic."""
    found = {}
    for case, points in curves(figures, kind).items():
        if len(points) > 1:
            sizes = [math.log(size) for size, _ in points]
            times = [math.log(max(time, 0.001)) for _, time in points]
            found[case] = statistics.linear_regression(sizes, times).slope
    return found


def draw_growth(figures: Figures) -> str:
    """A plot for each kind of database, one below the other."""
    kinds = list(dict.fromkeys(label.partition(" ")[0] for label in figures))
    plots = [(kind, curves(figures, kind)) for kind in kinds]
    plots = [(kind, found) for kind, found in plots if found]
    step = _HEIGHT + 60
    parts = [
        f'<g transform="translate(0 {number * step})">{_draw(kind, found)}</g>'
        for number, (kind, found) in enumerate(plots)
    ]
    width, height = _WIDTH + _LEGEND, step * max(len(plots), 1)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
    body = f"<title>Reads by number of alerts</title><style>{_STYLE}</style>{''.join(parts)}"
    return f"{head}{body}</svg>\n"


def _draw(kind: str, found: Mapping[str, Curve]) -> str:
    sizes = sorted({size for points in found.values() for size, _ in points})
    low, high = math.log10(sizes[0]), math.log10(sizes[-1])

    def across(size: float) -> float:
        return _LEFT + (math.log10(size) - low) / ((high - low) or 1) * (_WIDTH - _LEFT - 20)

    def down(time: float) -> float:
        place = (math.log10(max(time, 1)) - _LOW) / (_HIGH - _LOW)
        return _TOP + (1 - min(place, 1)) * _HEIGHT

    parts = [f'<text x="{_LEFT}" y="12">{escape(kind)}: median in ms by number of alerts</text>']
    for power in range(_LOW, _HIGH + 1):
        y = down(10**power)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.0f}H{_WIDTH - 20}"/>')
        parts.append(f'<text x="4" y="{y + 4:.0f}">{10**power:,}</text>')
    for size in sizes:
        parts.append(f'<text x="{across(size) - 16:.0f}" y="{_TOP + _HEIGHT + 18}">{size:,}</text>')
    for number, (case, points) in enumerate(found.items()):
        colour = f"hsl({number * 137 % 360} 65% 45%)"
        line = " ".join(f"{across(size):.0f},{down(time):.0f}" for size, time in points)
        y = _TOP + 8 + number * 12
        parts.append(f'<polyline points="{line}" stroke="{colour}"/>')
        parts.append(
            f'<text x="{_WIDTH}" y="{y}" style="font-size:10px;fill:{colour}">{escape(case)}</text>'
        )
    return "".join(parts)
