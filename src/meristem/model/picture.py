"""A program as a picture: an SVG of what flows where, exact parts in one colour and fitted parts in another.

The SVG stands alone: no script, no link, no font or image from elsewhere. It follows the reader's light or
dark setting, also inside a page, and the same program always gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape

from meristem.language.terms import Term
from meristem.model._graph import Graph, Node, graph_of
from meristem.model._layout import Box, Edge, Layout, arrange
from meristem.model.words import clean, fit, width

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', Verdana, sans-serif"
_TITLE, _SMALL = 13.0, 11.0  # font sizes in px
_LINE, _HEAD = 15.0, 18.0  # heights of a small line and of a box's title
_PAD_X, _PAD_Y = 12.0, 8.0
_ROOM = 230.0  # the widest text in a box
_CHIP = 18.0  # height of a value on an edge
_GAP_ALONG, _GAP_ACROSS = 38.0, 20.0
_MARGIN = 16.0
_WIDE = 1000.0  # a wider one runs from top to bottom, if that is narrower: so much room a page's card has

# The two colours are told apart by people of every common kind of colour vision; shapes differ as well.
_STYLE = (
    "\n.ms-picture{max-width:100%;height:auto;font-family:"
    + _FONT
    + "}"
    + """
.ms-picture text{fill:#1f2430;font-size:11px}
.ms-picture .t{font-size:13px;font-weight:600}
.ms-picture .h{font-size:15px;font-weight:600}
.ms-picture .s{fill:#566072}
.ms-picture .e{fill:none;stroke:#8a93a3;stroke-width:1.5}
.ms-picture .p{fill:#8a93a3}
.ms-picture .b{stroke-width:1.25}
.ms-picture .algorithm{fill:#e6f0fb;stroke:#3b78b8}
.ms-picture .module{fill:#fdebd3;stroke:#c9791d}
.ms-picture .bar{fill:#c9791d}
.ms-picture .input,.ms-picture .outer{fill:#eff1f4;stroke:#8a93a3}
.ms-picture .outer,.ms-picture .more{stroke-dasharray:4 3}
.ms-picture .more{fill:none;stroke:#8a93a3}
.ms-picture .f{fill:#ffffff;fill-opacity:.6;stroke:#3b78b8;stroke-opacity:.5;stroke-dasharray:3 3}
.ms-picture .c{fill:#ffffff;stroke:#c3c9d3}
@media (prefers-color-scheme:dark){
.ms-picture text{fill:#e8ecf3}
.ms-picture .s{fill:#a6b0c0}
.ms-picture .e{stroke:#77829a}
.ms-picture .p{fill:#77829a}
.ms-picture .algorithm{fill:#17304c;stroke:#6ea8e6}
.ms-picture .module{fill:#463011;stroke:#e8a44f}
.ms-picture .bar{fill:#e8a44f}
.ms-picture .input,.ms-picture .outer{fill:#2a303b;stroke:#77829a}
.ms-picture .more{stroke:#77829a}
.ms-picture .f{fill:#0b0f16;fill-opacity:.35;stroke:#6ea8e6}
.ms-picture .c{fill:#1a1f29;stroke:#4a5365}
}
"""
)

_LEGEND = {
    "algorithm": "exact step",
    "module": "part fitted to data",
    "input": "what goes in",
    "outer": "taken from outside",
    "more": "not drawn",
}


def picture(
    term: Term,
    *,
    title: str = "",
    details: Mapping[Term, Iterable[str]] | None = None,
    values: Mapping[Term, str] | None = None,
) -> str:
    """The program as a self-contained SVG.

    Args:
        term: The program's term.
        title: Words above it.
        details: Small lines for the boxes of modules (what was fitted), by their term.
        values: Short texts along the edges (the values of a chosen example), by the term that gives them.

    >>> from meristem.language.terms import Variable, module
    >>> picture(module("logistic", Variable("row"))).startswith("<svg ")
    True
    """
    graph, kinds = graph_of(term, details or {}, values or {})
    block = _draw(graph, True, last=True)
    if block.width > _WIDE:
        upright = _draw(graph, False, last=True)
        if upright.width < block.width:
            block = upright
    legend, legend_width = _legend(kinds)
    heading = fit(clean(title, 200), max(block.width, legend_width, 320.0), 15, bold=True)
    above = 30.0 if heading else 0.0
    inner = max(block.width, legend_width, width(heading, 15, bold=True))
    full_x = inner + 2 * _MARGIN
    full_y = block.height + above + 2 * _MARGIN + 34
    name = heading or "The program as a picture"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ms-picture" role="img" aria-label="{escape(name)}" '
        f'width="{_n(full_x)}" height="{_n(full_y)}" viewBox="0 0 {_n(full_x)} {_n(full_y)}">',
        f"<title>{escape(name)}</title>",
        f"<style>{_STYLE}</style>",
    ]
    if heading:
        parts.append(_text(_MARGIN, _MARGIN + 15, heading, "h"))
    parts.append(_group(block, _MARGIN + (inner - block.width) / 2, _MARGIN + above))
    parts.append(f'<g transform="translate({_n(_MARGIN)} {_n(full_y - _MARGIN - 16)})">{legend}</g>')
    parts.append("</svg>")
    return "\n".join(parts)


@dataclass
class _Drawn:
    """A piece of picture with its size."""

    width: float
    height: float
    parts: list[str] = field(default_factory=list)


@dataclass
class _Sized:
    """A node with what is inside it drawn, and its box's size without the value behind it.

    Args:
        chip: Width of the value behind it, 0 if none.
        ports: Where its inputs come in, from the top or the left of the box.
        named: Whether the inputs have names, written beside the ports.
    """

    node: Node
    width: float
    height: float
    chip: float
    ports: list[float]
    named: bool
    inner: list[tuple[str, _Drawn]]


def _draw(graph: Graph, flat: bool, last: bool = False) -> _Drawn:
    """Draw a graph, from left to right (`flat`) or top to bottom. `last` shows that the result leaves."""
    sized = [_size(node, flat) for node in graph.nodes]
    boxes, edges = [], []
    for k, box in enumerate(sized):
        tail = (box.chip + 12 if flat else _CHIP + 10) if box.chip else 0.0
        if k == graph.result and last:
            tail += 22
        across = box.height if flat else max(box.width, box.chip)
        boxes.append(Box((box.width if flat else box.height) + tail, across))
        shift = (across - (box.height if flat else box.width)) / 2
        for (source, _), port in zip(box.node.inputs, box.ports, strict=True):
            edges.append(Edge(source, k, shift + port))
    layout = arrange(boxes, edges, _GAP_ALONG, _GAP_ACROSS)
    drawn = _Drawn(*(layout.size if flat else layout.size[::-1]))
    _edges(drawn, layout, edges, sized, flat)
    for k, (box, place) in enumerate(zip(sized, layout.places, strict=True)):
        x, y = place if flat else place[::-1]
        if not flat:
            x += (boxes[k].across - box.width) / 2
        _node(drawn, box, x, y, flat, leaves=last and k == graph.result)
    return drawn


def _size(node: Node, flat: bool) -> _Sized:
    inner = [(header, _draw(body, flat)) for header, body in node.inner]
    text = [width(node.title, _TITLE, bold=True), *(width(line, _SMALL) for line in node.lines)]
    wide = max(min(max(text), _ROOM) + 2 * _PAD_X, 56.0)
    high = 2 * _PAD_Y + _HEAD + _LINE * len(node.lines)
    for header, body in inner:
        wide = max(wide, body.width + 4 * _PAD_X, width(header, _SMALL) + 4 * _PAD_X)
        high += body.height + _LINE + 3 * _PAD_Y
    if inner:
        high += 4
    names = [width(name, _SMALL) for _, name in node.inputs]
    named, many = any(names), len(names)
    if named and flat:
        # A column of names at the left, under the title.
        first = _PAD_Y + _HEAD + _LINE * len(node.lines) + _LINE / 2 + 2
        ports = [first + _LINE * k for k in range(many)]
        wide = max(wide, max(names) + 2 * _PAD_X)
        high += _LINE * many + 2
    elif named:
        # A line of names above the title.
        ports, place = [], 6.0
        for name in names:
            ports.append(place + max(name, 12.0) / 2 + 5)
            place += max(name, 12.0) + 10
        slack = max(wide - place - 6, 0.0) / 2
        ports = [port + slack for port in ports]
        wide = max(wide, place + 6)
        high += _LINE
    else:
        if flat:
            high = max(high, 11.0 * many + 11)
        else:
            wide = max(wide, 14.0 * many + 14)
        extent = high if flat else wide
        ports = [extent * (k + 1) / (many + 1) for k in range(many)]
    chip = width(node.chip, _SMALL) + 14 if node.chip else 0.0
    return _Sized(node, wide, high, chip, ports, named, inner)


def _edges(drawn: _Drawn, layout: Layout, edges: list[Edge], sized: list[_Sized], flat: bool) -> None:
    for edge, route in zip(edges, layout.routes, strict=True):
        source = sized[edge.source]
        # A route begins behind the value on the edge; the line begins at the box, and the value covers it.
        start = layout.places[edge.source][0] + (source.width if flat else source.height)
        points = [(start, route[0][1]), *route]
        arrow = points[-1][0] - 7
        path = [f"M{_at(points[0], flat)}"]
        for k in range(1, len(points)):
            (a0, c0), (a1, c1) = points[k - 1], points[k]
            if k == len(points) - 1:
                a1 = arrow
            if abs(c0 - c1) < 0.01:
                path.append(f"L{_at((a1, c1), flat)}")
            else:
                middle = (a0 + a1) / 2
                path.append(f"C{_at((middle, c0), flat)} {_at((middle, c1), flat)} {_at((a1, c1), flat)}")
        drawn.parts.append(f'<path class="e" d="{"".join(path)}"/>')
        drawn.parts.append(_arrow(points[-1], flat))


def _arrow(tip: tuple[float, float], flat: bool) -> str:
    along, across = tip
    corners = [(along, across), (along - 8, across - 4), (along - 8, across + 4)]
    return f'<path class="p" d="M{"L".join(_at(c, flat) for c in corners)}Z"/>'


def _node(drawn: _Drawn, box: _Sized, x: float, y: float, flat: bool, leaves: bool) -> None:
    node = box.node
    out = drawn.parts
    radius = {"algorithm": 4, "module": 9}.get(node.kind, 15)
    out.append(
        f'<rect class="b {node.kind}" x="{_n(x)}" y="{_n(y)}" width="{_n(box.width)}" '
        f'height="{_n(box.height)}" rx="{radius}"/>'
    )
    if node.kind == "module":
        out.append(
            f'<path class="bar" d="M{_n(x + 9)} {_n(y + 0.6)}H{_n(x + box.width - 9)}A9 9 0 0 1 '
            f"{_n(x + box.width - 2)} {_n(y + 4)}H{_n(x + 2)}A9 9 0 0 1 {_n(x + 9)} {_n(y + 0.6)}Z"
            '"/>'
        )
    middle = x + box.width / 2
    line = y + _PAD_Y + 13
    if not box.named and not box.inner:  # many ports may have made the box higher than its text
        line += (box.height - 2 * _PAD_Y - _HEAD - _LINE * len(node.lines)) / 2
    if box.named and not flat:
        for (_, name), port in zip(node.inputs, box.ports, strict=True):
            out.append(_text(x + port, y + 14, name, "s", "middle"))
        line += _LINE
    title = fit(node.title, box.width - 1.5 * _PAD_X, _TITLE, bold=True)
    out.append(_text(middle, line, title, "t", "middle"))
    line += 3
    for text in node.lines:
        line += _LINE
        out.append(_text(middle, line, fit(text, box.width - 1.5 * _PAD_X, _SMALL), "s", "middle"))
    if box.named and flat:
        for (_, name), port in zip(node.inputs, box.ports, strict=True):
            out.append(_text(x + 8, y + port + 4, name, "s"))
        line += _LINE * len(node.inputs) + 2
    top = line + 12
    for header, body in box.inner:
        frame = body.height + _LINE + 2 * _PAD_Y
        out.append(
            f'<rect class="f" x="{_n(x + _PAD_X)}" y="{_n(top)}" width="{_n(box.width - 2 * _PAD_X)}" '
            f'height="{_n(frame)}" rx="6"/>'
        )
        out.append(_text(x + _PAD_X + 7, top + 14, header, "s"))
        out.append(_group(body, middle - body.width / 2, top + _LINE + _PAD_Y))
        top += frame + _PAD_Y
    end, across = (x + box.width, y + box.height / 2) if flat else (y + box.height, middle)
    if leaves:
        tip = end + 22 + ((box.chip + 12 if flat else _CHIP + 10) if box.chip else 0)
        out.append(f'<path class="e" d="M{_at((end, across), flat)}L{_at((tip - 7, across), flat)}"/>')
        out.append(_arrow((tip, across), flat))
    if box.chip:
        left, top = (end + 8, across - _CHIP / 2) if flat else (middle - box.chip / 2, end + 6)
        out.append(
            f'<rect class="c" x="{_n(left)}" y="{_n(top)}" width="{_n(box.chip)}" '
            f'height="{_n(_CHIP)}" rx="9"/>'
        )
        out.append(_text(left + box.chip / 2, top + 13, node.chip, "", "middle"))


def _legend(kinds: set[str]) -> tuple[str, float]:
    """The legend as one row, and its width."""
    parts, x = [], 0.0
    for kind, words in _LEGEND.items():
        if kind in kinds or kind in ("algorithm", "module"):
            radius = {"algorithm": 2, "module": 5}.get(kind, 7)
            parts.append(
                f'<rect class="b {kind} key" x="{_n(x)}" y="0.5" width="24" height="14" rx="{radius}"/>'
            )
            parts.append(_text(x + 31, 12, words, "s"))
            x += 31 + width(words, _SMALL) + 20
    return "".join(parts), x - 20


def _group(block: _Drawn, x: float, y: float) -> str:
    return f'<g transform="translate({_n(x)} {_n(y)})">\n' + "\n".join(block.parts) + "\n</g>"


def _text(x: float, y: float, text: str, style: str, anchor: str = "") -> str:
    # `escape` covers <, >, & and quotes; `clean` has taken out what XML can not hold.
    where = f' text-anchor="{anchor}"' if anchor else ""
    kind = f' class="{style}"' if style else ""
    return f'<text{kind} x="{_n(x)}" y="{_n(y)}"{where}>{escape(text)}</text>'


def _at(point: tuple[float, float], flat: bool) -> str:
    along, across = point
    return f"{_n(along)} {_n(across)}" if flat else f"{_n(across)} {_n(along)}"


def _n(value: float) -> str:
    """A coordinate, to a tenth of a pixel."""
    return (
        f"{value:.1f}".removesuffix(".0").replace("-0", "0")
        if abs(value) < 0.05
        else f"{value:.1f}".removesuffix(".0")
    )


__all__ = ["picture"]
