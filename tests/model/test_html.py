from __future__ import annotations

import doctest
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from report_samples import EVIL, sample

import meristem.model.picture
import meristem.report.intervals
from meristem.language.terms import Variable, module
from meristem.model import charts
from meristem.model.charts import log_ticks, tick_labels, ticks
from meristem.model.picture import picture
from meristem.model.report import (
    Bin,
    Calibration,
    Candidate,
    Curve,
    CurvePoint,
    Effort,
    Facts,
    Forecast,
    Importance,
    Report,
    Score,
)

TAGS = (
    "html head meta title style body main section h1 h2 h3 p div small span dl dt dd ul li details summary pre code "
    "table thead tbody tr th td br footer svg g rect path text line circle strong"
)
ALLOWED = set(TAGS.split())


class Reader(HTMLParser):
    """Collects tags and attributes, and holds that tags close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


PICTURE = picture(module("logistic", Variable("row")))


@pytest.mark.parametrize(
    "text", ["plain", EVIL, "</style></title></code>", "'\" onload=alert(1) x='", "javascript:alert(1)"]
)
def test_the_page_needs_nothing_and_runs_nothing(text: str) -> None:
    page = sample(text).html(PICTURE, f"def f():\n    return {text!r}  # {text}\n", title=text)
    reader = read(page)
    assert reader.tags <= ALLOWED
    for name, value in reader.attributes:
        assert not name.startswith("on")
        assert name not in ("href", "src", "xlink:href", "action", "style")
        assert "url(" not in (value or "")
    assert "url(" not in page
    assert "@import" not in page
    links = re.findall(r"https?:[^\s\"'<]*", page)
    assert set(links) <= {"http://www.w3.org/2000/svg"}  # a namespace is a name, not an address
    policy = dict(reader.attributes).get("content")
    assert "default-src 'none'" in page
    assert policy is not None
    assert "\x1b" not in page
    page.encode("utf-8")


def test_the_first_screen_has_the_score_and_the_verdict() -> None:
    report = replace(sample("name"), best=Score("", 0.0213, 0.0213, 0.0101, 0.0348))
    shown = " ".join(" ".join(read(report.html()).text).replace("\xa0", " ").split())
    first = shown[: shown.index("About the data")]
    for words in (
        "0.0213",
        "95 % interval: 0.0101 to 0.0348",
        "98 % of that loss is gone",
        "Would more data help?",
    ):
        assert words in first


def test_a_short_report_leaves_empty_sections_out() -> None:
    full = sample()
    page = Report(Facts("t", 3, 1, "y", "number", "rmse"), Effort(1.0), full.baseline, full.best).html()
    read(page)
    for heading in (
        "What was tried",
        "Would more data help",
        "The program",
        "How to go on",
        "What it looks at",
    ):
        assert heading not in page


def test_long_lists_fold_away_and_are_counted() -> None:
    many = tuple(Candidate(k, "tune", f"program {k}", "scored", "", float(k)) for k in range(5000))
    page = replace(sample(), candidates=many).html()
    assert "4,700 candidates not shown" in page
    assert len(page) < 500_000
    assert page.index("<code>program 0<") < page.index("<code>program 9<") < page.index("<code>program 10<")


EXTREME = [-1e300, -1.0, 0.0, 5e-324, 1.0, 1e300]


@pytest.mark.parametrize("a", EXTREME)
@pytest.mark.parametrize("b", EXTREME)
def test_charts_survive_any_finite_numbers(a: float, b: float) -> None:
    candidates = tuple(Candidate(k, "o", "t", "scored", "", v, a, b) for k, v in enumerate((a, b, None, 0.5)))
    report = Report(
        Facts("n", -1, -1, "t", "k", "m", b > 0),
        Effort(a, b, -5),
        Score("", a, b, b, a),
        Score("", b, a, a, b),
        candidates,
        importance=(Importance("x", a, b, a), Importance("y", b)),
        calibration=Calibration((Bin(a, b, -3), Bin(b, a, 2**62)), a, b),
        curve=Curve(
            (CurvePoint(-1, a), CurvePoint(1, a, b), CurvePoint(2**62, b, a)), Forecast(a, b, a, b, a, b), "w"
        ),
    )
    page = Report.loads(report.dumps()).html()
    read(page)
    charts = "".join(re.findall(r'<svg class="chart.*?</svg>', page, flags=re.DOTALL))
    coordinates = " ".join(re.findall(r'(?:[xyrd]|[xy][12]|c[xy]|width|height)="([^"]*)"', charts))
    assert not re.search(r"nan|inf|e\+", coordinates)
    assert report.text()


def test_a_notebook_gets_a_few_harmless_lines() -> None:
    shown = sample(EVIL)._repr_html_()
    reader = read(shown)
    assert reader.tags <= {"div", "p", "strong", "table", "tbody", "tr", "td"}
    assert reader.attributes == []


def test_ticks_are_round_and_cover_the_range() -> None:
    assert ticks(0, 100) == [0, 20, 40, 60, 80, 100]
    assert ticks(5, 5) == [5]
    assert log_ticks(0.01, 100) == pytest.approx([0.01, 0.1, 1, 10, 100])
    assert log_ticks(1, 8) == pytest.approx([1, 2, 5])
    assert tick_labels([-1.0, -0.5, -0.0]) == ["-1.0", "-0.5", "0.0"]
    for module_ in (charts, meristem.model.picture, meristem.report.intervals):
        result = doctest.testmod(module_)
        assert result.attempted > 0
        assert result.failed == 0
