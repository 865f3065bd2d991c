from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from meristem.language.terms import (
    Apply,
    Call,
    Field,
    Hole,
    If,
    Lambda,
    Let,
    ListOf,
    Literal,
    Record,
    Term,
    Variable,
    call,
    module,
)
from meristem.model import _layout
from meristem.model._graph import graph_of
from meristem.model._layout import Box, Edge, Layout, arrange
from meristem.model.picture import picture
from meristem.types import INT, REAL, TEXT

SVG = "{http://www.w3.org/2000/svg}"
ROW, XS, X = Variable("row"), Variable("xs"), Variable("x")
NUMBERS, CATEGORIES = call("numbers", ROW), call("categories", ROW)
PREPARED = module("standardize", call("concat", module("impute", NUMBERS), module("one_hot", CATEGORIES)))
LOGISTIC = module("logistic", PREPARED, penalty=0.31)
BOOST = module("boost", call("join", NUMBERS, CATEGORIES), leaves=31, rate=0.05)


def blend_of(members: int) -> Term:
    pool = [
        LOGISTIC,
        BOOST,
        module("rbf", PREPARED, width=2.1),
        module("ridge", PREPARED),
        module("constant", ROW),
    ]
    pool.append(module("boost", call("join", NUMBERS, CATEGORIES), leaves=7, rounds=900, columns=0.7))
    return module("temperature", module("blend", *pool[:members]))


def zero() -> Term:
    return Literal(0, INT)


LISTS: dict[str, Term] = {
    "small functions": call(
        "fold",
        call("filter", XS, Lambda(("x",), call("greater", X, zero()))),
        zero(),
        Lambda(("a", "x"), call("add", Variable("a"), X)),
    ),
    "large functions": call(
        "fold",
        call("map", Variable("images"), Lambda(("x",), module("reader", module("convolve", X, filters=8)))),
        zero(),
        Lambda(
            ("a", "x"),
            If(
                call("greater", X, Literal(4, INT)),
                call("add", Variable("a"), call("multiply", X, Variable("k"))),
                call("minimum", Variable("a"), call("subtract", X, Literal(1, INT)), call("absolute", X)),
            ),
        ),
    ),
    "let": Let(
        "z",
        call("sort", XS),
        call(
            "pair",
            call("first", Variable("z")),
            call(
                "map",
                Variable("z"),
                Lambda(("q",), call("add", call("length", Variable("z")), call("maximum", XS))),
            ),
        ),
    ),
    "record": Record(("first", "b"), (Field(ROW, "weight"), Field(call("f", ROW), "x"))),
    "apply": Apply(Variable("f"), (XS, ListOf((X, X)), ListOf())),
    "function": Lambda(("a",), call("add", Variable("a"), Variable("b"))),
    "hole": call("add", Hole(INT), Hole()),
    "literal": Literal(1.5, REAL),
    "input": ROW,
    "no arguments": Call("now"),
    "chain": call(
        "a", call("b", call("c", call("d", call("e", call("f", call("g", call("h", call("i", XS))))))))
    ),
}
TERMS = {**{f"blend of {k}": blend_of(k) for k in range(1, 7)}, **LISTS}

Rectangle = tuple[float, float, float, float]


def boxes_of(svg: str) -> list[Rectangle]:
    """All boxes and values, in the picture's coordinates: left, top, right, bottom."""
    found: list[Rectangle] = []

    def walk(node: ElementTree.Element, dx: float, dy: float) -> None:
        move = re.fullmatch(r"translate\((\S+) (\S+)\)", node.get("transform", "translate(0 0)"))
        assert move is not None
        dx, dy = dx + float(move[1]), dy + float(move[2])
        if node.tag == SVG + "rect" and "key" not in node.get("class", ""):
            x, y, w, h = (float(node.get(name, "nan")) for name in ("x", "y", "width", "height"))
            found.append((x + dx, y + dy, x + dx + w, y + dy + h))
        for child in node:
            walk(child, dx, dy)

    walk(ElementTree.fromstring(svg), 0.0, 0.0)
    return found


def clash(a: Rectangle, b: Rectangle) -> bool:
    """Whether two boxes overlap without one being inside the other."""
    apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    return not (apart or inside(a, b) or inside(b, a))


def inside(a: Rectangle, b: Rectangle) -> bool:
    return a[0] >= b[0] and a[1] >= b[1] and a[2] <= b[2] and a[3] <= b[3]


def test_clash_is_seen() -> None:
    assert clash((0, 0, 2, 2), (1, 1, 3, 3))
    assert not clash((0, 0, 2, 2), (2, 0, 3, 3))
    assert not clash((0, 0, 4, 4), (1, 1, 3, 3))


@pytest.mark.parametrize("name", TERMS)
@pytest.mark.parametrize("with_values", [False, True])
def test_every_picture_is_well_formed_and_nothing_overlaps(name: str, with_values: bool) -> None:
    term = TERMS[name]
    nodes = list(term.walk())
    values = {node: f"value number {k}" for k, node in enumerate(nodes)} if with_values else {}
    details = {node: ["a line of what was fitted", "another"] for node in nodes} if with_values else {}
    svg = picture(term, title="A title", details=details, values=values)
    assert svg == picture(term, title="A title", details=details, values=values)
    root = ElementTree.fromstring(svg)
    boxes = boxes_of(svg)
    assert boxes
    for a, b in itertools.combinations(boxes, 2):
        assert not clash(a, b), (name, a, b)
    page = (0.0, 0.0, float(root.get("width", "0")), float(root.get("height", "0")))
    assert all(inside(box, page) for box in boxes)


def test_text_stays_in_its_box() -> None:
    from meristem.model.words import width

    svg = picture(module("a_kind_with_a_long_name", ROW, penalty=0.25), details={})
    (box,) = (r for r in ElementTree.fromstring(svg).iter(SVG + "rect") if r.get("class") == "b module")
    (title,) = (
        t for t in ElementTree.fromstring(svg).iter(SVG + "text") if t.text == "a_kind_with_a_long_name"
    )
    assert width(title.text or "", 13, bold=True) <= float(box.get("width", "0"))


def test_shared_parts_are_drawn_once_and_own_fits_are_not_merged() -> None:
    graph, kinds = graph_of(blend_of(6), {}, {})
    titles = [node.title for node in graph.nodes]
    assert titles.count("standardize") == titles.count("row") == titles.count("join") == 1
    assert titles.count("boost") == 2
    assert kinds == {"algorithm", "module", "input"}
    twins = module("blend", module("ridge", ROW, label="a"), module("ridge", ROW, label="b"))
    assert [node.title for node in graph_of(twins, {}, {})[0].nodes].count("ridge") == 2


def test_two_colours_and_their_legend() -> None:
    svg = picture(LOGISTIC)
    assert 'class="b module"' in svg
    assert 'class="b algorithm"' in svg
    assert "part fitted to data" in svg
    assert "exact step" in svg
    assert "prefers-color-scheme:dark" in svg


def test_values_details_and_choices_are_written() -> None:
    svg = picture(LOGISTIC, values={PREPARED: "[0.2, -1.1]"}, details={LOGISTIC: ["5 inputs, 3 classes"]})
    for text in ("[0.2, -1.1]", "5 inputs, 3 classes", "penalty 0.31"):
        assert text in svg


def test_small_functions_are_text_and_large_ones_frames() -> None:
    small, large = picture(LISTS["small functions"]), picture(LISTS["large functions"])
    assert "x ↦ x &gt; 0" in small
    assert 'class="f"' not in small
    assert large.count('class="f"') == 2
    assert "taken from outside" in large  # k comes from outside of the function


def test_names_bound_by_let_become_edges() -> None:
    graph, _ = graph_of(LISTS["let"], {}, {})
    sort = next(k for k, node in enumerate(graph.nodes) if node.title == "sort")
    users = [node.title for node in graph.nodes if any(source == sort for source, _ in node.inputs)]
    assert sorted(users) == ["first", "map"]
    assert "called z" in graph.nodes[sort].lines


HOSTILE = [
    "<script>alert(1)</script>",
    '"/><image href="http://x"/>',
    "a\x00b\x1b\ud800",
    "]]>",
    "&amp;",
    "\u202e" * 3,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_only_text(text: str) -> None:
    inner = call("concat", Field(ROW, text), Literal(text, TEXT))
    term = module(
        text, Record((text, "b"), (inner, Lambda((text,), call(text, Variable(text))))), **{"choice": text}
    )
    svg = picture(term, title=text, details={term: [text] * 3}, values=dict.fromkeys(term.walk(), text))
    root = ElementTree.fromstring(svg.encode("utf-8"))
    tags = {node.tag.removeprefix(SVG) for node in root.iter()}
    assert tags <= {"svg", "title", "style", "g", "rect", "path", "text"}
    for node in root.iter():
        assert not [name for name in node.attrib if name.startswith("on") or "href" in name]


def test_long_text_is_cut() -> None:
    svg = picture(module("m" * 5000, Variable("v" * 5000)), title="t" * 5000, details={}, values={})
    assert len(svg) < 10_000


def test_a_part_used_twice_at_every_level_costs_no_more_than_its_nodes() -> None:
    term: Term = X
    for k in range(40):  # 2 ** 40 paths
        term = call(f"f{k}", term, term)
    graph, kinds = graph_of(term, {}, {})
    assert len(graph.nodes) == 41
    assert "more" not in kinds


def test_a_very_large_program_is_cut_short_and_says_so() -> None:
    wide = call("f", *(call(f"g{k}", X) for k in range(1000)))
    deep: Term = X
    for k in range(150):
        deep = call(f"h{k}", deep)
    shared: Term = X
    for k in range(80):  # 2 ** 80 paths through 80 nodes
        shared = Let(f"y{k}", shared, call("add", Variable(f"y{k}"), shared))
    for term in (wide, deep, shared):
        svg = picture(term)
        assert "not drawn" in svg
        assert len(svg) < 300_000
        ElementTree.fromstring(svg)


def test_random_graphs_have_no_overlaps_and_straight_chains() -> None:
    rng = np.random.default_rng(5)
    for _ in range(30):
        count = int(rng.integers(2, 25))
        boxes = [Box(float(rng.uniform(20, 90)), float(rng.uniform(20, 60))) for _ in range(count)]
        edges = [
            Edge(int(s), k, boxes[k].across / 2)
            for k in range(1, count)
            for s in rng.choice(k, min(k, int(rng.integers(1, 4))), replace=False)
        ]
        layout = arrange(boxes, edges, 30, 12)
        spots = [
            (a, c, a + box.along, c + box.across) for box, (a, c) in zip(boxes, layout.places, strict=True)
        ]
        for one, other in itertools.combinations(spots, 2):
            assert not clash(one, other)
            assert not inside(one, other)
        for edge, route in zip(edges, layout.routes, strict=True):
            assert route[0][0] == pytest.approx(layout.places[edge.source][0] + boxes[edge.source].along)
            along = [a for a, _ in route]
            assert along == sorted(along)
            # No long edge runs through a box.
            for (a0, c0), (a1, c1) in zip(route[:-1:2], route[1:-1:2], strict=True):
                assert c0 == c1
                for k, spot in enumerate(spots):
                    if k not in (edge.source, edge.target):
                        assert not (spot[0] < a1 and spot[2] > a0 and spot[1] < c0 < spot[3])


def test_a_chain_is_a_straight_line() -> None:
    boxes = [Box(40, height) for height in (20.0, 50.0, 30.0)]
    layout = arrange(boxes, [Edge(0, 1, 25.0), Edge(1, 2, 15.0)], 30, 12)
    assert len({round(c, 6) for route in layout.routes for _, c in route}) == 1


def crossings(layout: Layout) -> int:
    """Pairs of bends between the same two layers that change sides."""
    bends: dict[float, list[tuple[float, float]]] = {}
    for route in layout.routes:
        for (_, before), (along, after) in zip(route[1::2], route[2::2], strict=False):
            bends.setdefault(round(along, 3), []).append((before, after))
    return sum(
        (a[0] - b[0]) * (a[1] - b[1]) < -1e-9
        for same in bends.values()
        for a, b in itertools.combinations(same, 2)
    )


def test_the_sweeps_remove_crossings(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(8)
    graphs = []
    for _ in range(20):
        count = int(rng.integers(10, 20))
        pairs = [(int(s), k) for k in range(1, count) for s in rng.choice(k, min(k, 2), replace=False)]
        graphs.append(([Box(40, 30)] * count, [Edge(s, k, 15.0) for s, k in pairs]))
    after = sum(crossings(arrange(boxes, edges, 30, 12)) for boxes, edges in graphs)
    monkeypatch.setattr(_layout, "_SWEEPS", 0)
    before = sum(crossings(arrange(boxes, edges, 30, 12)) for boxes, edges in graphs)
    assert after < 0.8 * before


@pytest.mark.parametrize("name", TERMS)
def test_a_picture_fits_the_card_of_a_page(name: str) -> None:
    """1200 px less margins: what is wider runs from top to bottom, and the page shrinks what is still wider."""
    term = TERMS[name]
    lines = {node: ["a line of what was fitted", "another"] for node in term.walk()}
    root = ElementTree.fromstring(
        picture(term, details=lines, values=dict.fromkeys(term.walk(), "[1, 2, 3]"))
    )
    if name != "blend of 6":
        assert float(root.get("width", "inf")) <= 1040
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    style = next(node.text for node in root.iter(SVG + "style"))
    assert style is not None
    assert ".ms-picture{max-width:100%;height:auto;" in style
