"""The picture of an alert's life cycle, drawn from :mod:`docs.lifecycle.table`.

It has its own background, so it is readable on any page, and colours for light and dark.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from docs.lifecycle.table import Edge, edges
from incidentrelay.domain.enums import AlertStatus

WIDTH, HEIGHT = 1000, 400
_BOX_WIDTH, _BOX_HEIGHT, _TOP = 170, 110, 145
_LINE = 17
_LEFT: Mapping[AlertStatus, int] = {
    status: 40 + 375 * number for number, status in enumerate(AlertStatus)
}
_STYLE = """
  .ground { fill: #ffffff; stroke: #dfe3ea }
  .box { stroke-width: 2.5 }
  .firing { fill: #fdecee; stroke: #b3142c }
  .acknowledged { fill: #e9ecfb; stroke: #2f3fb5 }
  .resolved { fill: #d9f2e2; stroke: #17683a }
  .way { fill: none; stroke: #545e70; stroke-width: 2 }
  .head { fill: #545e70 }
  text { font: 14px system-ui, sans-serif; fill: #151b26; text-anchor: middle }
  .state { font-size: 19px; font-weight: 700 }
  .stays { font-size: 12px; fill: #545e70 }
  .source { font-style: italic; fill: #545e70 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #12161f; stroke: #343d4d }
    .firing { fill: #3a151b; stroke: #ff8091 }
    .acknowledged { fill: #1c2350; stroke: #a3aefc }
    .resolved { fill: #12331f; stroke: #6fd495 }
    .way { stroke: #a9b4c6 }
    .head { fill: #a9b4c6 }
    text { fill: #e8ecf3 }
    .stays, .source { fill: #a9b4c6 }
  }
"""


def picture() -> str:
    """The picture, as SVG."""
    known = edges()
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        ' aria-labelledby="title about">',
        '<title id="title">The life cycle of an alert</title>',
        f'<desc id="about">{escape(" ".join(_sentence(edge) for edge in known))}</desc>',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8"'
        ' markerHeight="8" orient="auto"><path class="head" d="M0 0 10 5 0 10z"/></marker></defs>',
        f'<rect class="ground" x="1" y="1" width="{WIDTH - 2}" height="{HEIGHT - 2}" rx="12"/>',
    ]
    for edge in known:
        parts += _way(edge) if edge.before is not edge.after else ()
    for status in AlertStatus:
        stays = [edge for edge in known if edge.before is edge.after is status]
        parts += _box(status, [word for edge in stays for word in edge.people])
    return "\n".join([*parts, "</svg>", ""])


def _sentence(edge: Edge) -> str:
    before = edge.before or "No alert"
    why = ", ".join((*edge.people, *(f"{word} (source)" for word in edge.sources)))
    return f"{before.capitalize()} to {edge.after}: {why}."


def _box(status: AlertStatus, stays: Sequence[str]) -> Iterator[str]:
    left, middle = _LEFT[status], _LEFT[status] + _BOX_WIDTH // 2
    yield (
        f'<rect class="box {status}" x="{left}" y="{_TOP}" width="{_BOX_WIDTH}"'
        f' height="{_BOX_HEIGHT}" rx="10"/>'
    )
    yield f'<text class="state" x="{middle}" y="{_TOP + 36}">{status}</text>'
    if stays:
        yield f'<text class="stays" x="{middle}" y="{_TOP + 62}">unchanged by:</text>'
    for number, line in enumerate(_wrapped(stays, 26)):
        y = _TOP + 79 + 15 * number
        yield f'<text class="stays" x="{middle}" y="{y}">{escape(line)}</text>'


def _wrapped(words: Sequence[str], width: int) -> list[str]:
    """Join ``words`` with commas, in lines of about ``width`` characters."""
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + len(word) + 2 <= width:
            lines[-1] += f", {word}"
        else:
            lines.append(word)
    return lines


def _way(edge: Edge) -> Iterator[str]:
    path, x, y, upwards = _course(edge)
    yield f'<path class="way" marker-end="url(#head)" d="{path}"/>'
    lines = [("", line) for line in _wrapped(edge.people, 22)]
    lines += [("source", line) for line in edge.sources]
    start = y - _LINE * (len(lines) - 1) if upwards else y
    for number, (kind, line) in enumerate(lines):
        style = f' class="{kind}"' if kind else ""
        yield f'<text{style} x="{x}" y="{start + _LINE * number}">{escape(line)}</text>'


def _course(edge: Edge) -> tuple[str, int, int, bool]:
    """The arrow's path, the x and y of its label, and whether further lines go upwards."""
    to_left, bottom = _LEFT[edge.after], _TOP + _BOX_HEIGHT
    if edge.before is None:
        x = to_left + 35
        return f"M{x} 50V{_TOP - 3}", x, 40, True
    order = list(AlertStatus)
    from_left = _LEFT[edge.before]
    forwards = order.index(edge.before) < order.index(edge.after)
    if abs(order.index(edge.before) - order.index(edge.after)) == 1:
        y = _TOP + (35 if forwards else 75)
        start, end = (
            (from_left + _BOX_WIDTH, to_left - 3)
            if forwards
            else (from_left, to_left + 3 + _BOX_WIDTH)
        )
        return f"M{start} {y}H{end}", (start + end) // 2, y + (-9 if forwards else 20), forwards
    start, end = from_left + _BOX_WIDTH // 2, to_left + _BOX_WIDTH // 2
    start, end = (start + 20, end - 20) if forwards else (start - 20, end + 20)
    edge_y, turn = (_TOP, 75) if forwards else (bottom, bottom + 70)
    near = edge_y + (-3 if forwards else 3)
    path = f"M{start} {edge_y}C{start} {turn} {start} {turn} {(start + end) // 2} {turn}"
    path += f"S{end} {turn} {end} {near}"
    return path, (start + end) // 2, turn + (-10 if forwards else 20), forwards
