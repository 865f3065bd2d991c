from __future__ import annotations

import copy
import json
import math
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from report_samples import EVIL, sample

from meristem.errors import FileFormatError
from meristem.model import sentences
from meristem.model.report import Calibration, Coverage, Importance, LeftOut, Report, Score


def test_json_round_trip() -> None:
    for report in (
        sample(),
        sample(EVIL),
        Report(sample().facts, sample().effort, sample().best, sample().best),
    ):
        assert Report.from_json(report.to_json()) == report
        assert Report.loads(report.dumps()) == report
        assert Report.loads(report.dumps().encode()).dumps() == report.dumps()


def test_numpy_numbers_are_stored_as_plain_ones() -> None:
    report = replace(sample(), importance=(Importance("a", np.float64(0.5), np.float32(0.25)),))  # type: ignore[arg-type]
    assert json.loads(report.dumps())["importance"][0]["mean"] == 0.5


@pytest.mark.parametrize("value", [math.nan, math.inf, "text", None])
def test_what_can_not_be_stored_is_refused_when_written(value: Any) -> None:
    broken = replace(sample(), best=Score("", value, 1.0))
    with pytest.raises(ValueError, match=r"report\.best\.loss"):
        broken.to_json()


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of every value in a JSON tree."""
    found = [path]
    if isinstance(value, dict):
        for key, inner in value.items():
            found += places(inner, (*path, key))
    elif isinstance(value, list):
        for k, inner in enumerate(value[:2]):
            found += places(inner, (*path, k))
    return found


@pytest.mark.parametrize("bad", [object, [[]], {"a": {}}, True, -(2**70), "9", None, math.nan, 1e308])
def test_any_value_of_a_wrong_shape_is_refused(bad: Any) -> None:
    plain = sample().to_json()
    refused = 0
    for path in places(plain):
        if not path:
            continue
        damaged = copy.deepcopy(plain)
        inner = damaged
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = bad
        try:
            report = Report.from_json(damaged)
        except FileFormatError:
            refused += 1
        else:
            # The value happens to be allowed there; then the report must be usable.
            assert report.to_json() == damaged
            assert report.html()
    assert refused > 30


def test_missing_and_unknown_fields_and_formats_are_refused() -> None:
    plain = sample().to_json()
    for change in ({"format": 2}, {"format": "1"}, {"format": True}, {"more": 1}):
        with pytest.raises(FileFormatError):
            Report.from_json({**plain, **change})
    for name in plain.keys() - {"left_out"}:
        with pytest.raises(FileFormatError):
            Report.from_json({k: v for k, v in plain.items() if k != name})
    for value in (None, [], "x", 3):
        with pytest.raises(FileFormatError, match="expected a report"):
            Report.from_json(value)


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 100_000, "nul", b"\xff\xfe", '{"format": 1' + "0" * 5000 + "}"]
)
def test_damaged_text_is_refused(text: str | bytes) -> None:
    with pytest.raises(FileFormatError):
        Report.loads(text)


def test_any_changed_byte_gives_a_report_or_a_clear_error() -> None:
    raw = bytearray(sample().dumps().encode())
    rng = random.Random(3)
    for _ in range(400):
        damaged = bytearray(raw)
        damaged[rng.randrange(len(raw))] = rng.randrange(256)
        try:
            Report.loads(bytes(damaged))
        except FileFormatError:
            continue


def test_text_says_what_matters_within_its_width() -> None:
    report = replace(sample("name"), best=Score("a blend", 0.02, 0.02, 0.01, 0.03))
    for width in (40, 72, 120):
        text = report.text(width)
        assert max(map(len, text.splitlines())) <= width
        flat = " ".join(text.split())
        assert "name 0.02 (95 % interval: 0.01 to 0.03), lower is better" in flat
        assert "98 % of that loss is gone" in flat
        assert "30 candidates in 58 s of 60 s on 2 workers: 22 scored" in flat


def test_hostile_text_stays_harmless_in_a_terminal() -> None:
    from rich.console import Console

    report = sample(EVIL + "[bold red]x[/]")
    for shown in (report.text(), str(report)):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    console = Console(width=200, record=True, file=open("/dev/null", "w"), color_system=None)  # noqa: SIM115
    console.print(report.rich())
    console.file.close()
    shown = console.export_text()
    assert "[bold red]x[/]" in shown  # text, not markup
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("greater", "base", "best", "level"),
    [
        (False, (1.0, 0.9, 1.1), (0.2, 0.1, 0.3), "good"),
        (False, (1.0, 0.9, 1.1), (0.8, 0.6, 1.05), "unsure"),
        (False, (1.0, 0.9, 1.1), (1.0, 0.9, 1.1), "bad"),
        (True, (0.5, 0.4, 0.6), (0.9, 0.85, 0.95), "good"),
        (True, (0.5, 0.4, 0.6), (0.6, 0.45, 0.75), "unsure"),
        (True, (0.5, 0.4, 0.6), (0.4, 0.3, 0.5), "bad"),
        (False, (1.0, None, None), (0.5, None, None), "good"),
        (False, (1.0, 0.9, 1.1), (0.0, 0.0, 0.0), "good"),
    ],
)
def test_the_verdict(greater: bool, base: Any, best: Any, level: str) -> None:
    sign = -1 if greater else 1
    report = replace(
        sample(),
        facts=replace(sample().facts, metric="accuracy" if greater else "rmse", greater_is_better=greater),
        baseline=Score("always answering 'a'", sign * base[0], *base),
        best=Score("", sign * best[0], *best),
    )
    found, words = sentences.verdict(report)
    assert found == level
    assert "always answering 'a'" in words


def test_few_rows_prove_little() -> None:
    report = replace(
        sample(),
        baseline=Score("always answering 'a'", 1.0, 1.0, 0.9, 1.1),
        best=Score("", 0.0, 0.0, 0.0, 0.0),
    )
    few = replace(report, facts=replace(report.facts, rows=9, metric="rmse", greater_is_better=False))
    assert sentences.verdict(few) == (
        "unsure",
        "Better than always answering 'a' (1), but 9 rows prove little: this may be luck.",
    )
    enough = replace(few, facts=replace(few.facts, rows=10))
    assert sentences.verdict(enough)[0] == "good"


def test_calibration_words() -> None:
    say = sentences.calibration_words
    assert say(Calibration(error=0.02, chance=0.03)).startswith("The probabilities hold")
    assert "Do not take" in say(Calibration(error=0.2, chance=0.03))
    assert "roughly" in say(Calibration(error=0.05, chance=0.01))
    assert "too narrow" in say(Calibration(coverage=(Coverage(0.9, 0.7),)))
    assert "too wide" in say(Calibration(coverage=(Coverage(0.9, 0.99),)))
    assert "hold" in say(Calibration(coverage=(Coverage(0.9, 0.91),)))
    assert say(Calibration()) == ""


def test_importance_words_name_what_matters_and_what_does_not() -> None:
    report = replace(
        sample(),
        importance=(
            Importance("b", 0.1, 0.05, 0.2),
            Importance("a", 0.5, 0.4, 0.6),
            Importance("c", 0.01, -0.1, 0.1),
        ),
    )
    words = sentences.importance_words(report)
    assert words.startswith("Of the 3 columns measured, a matters most")
    assert "Next comes b." in words
    assert "1 column makes no measurable difference" in words
    assert "4 more columns were not measured" in words


def test_what_matters_most_is_said_of_the_columns_that_were_measured() -> None:
    def words(columns: int, *items: Importance) -> str:
        report = replace(sample(), facts=replace(sample().facts, columns=columns), importance=items)
        return sentences.importance_words(report)

    a, b = Importance("a", 0.5, 0.4, 0.6), Importance("b", -0.1, -0.2, 0.1)
    assert words(2, a, b).startswith("a matters most")
    assert words(40, a, b).startswith("Of the 2 columns measured, a matters most")
    assert words(40, a).startswith("a, the only column measured, matters:")
    assert words(40, b, b).startswith("Of the 2 columns measured, none makes a difference")
    assert "38 more columns were not measured" in words(40, b, b)


def test_what_is_left_out_is_said_with_its_reason() -> None:
    gone = tuple(LeftOut(what, f"no {what}, try <more>") for what in ("interval", "importance", "curve"))
    report = replace(sample("x"), importance=(), curve=None, left_out=gone, best=Score("x", 0.02, 0.02))
    for words in ("no interval, try", "no importance, try", "no curve, try"):
        assert words in report.text()
        assert words in report.html()
    assert "<more>" not in report.html()
    assert Report.loads(report.dumps()) == report
    whole = sample("x").text()
    assert "Would more data help?" in whole
    assert "Would more data help?" not in replace(sample("x"), curve=None).text()


def test_why_there_is_no_model_is_no_guess() -> None:
    base = Score("always the mean", 3.0, 3.0, 2.0, 4.0)
    report = replace(sample("x"), baseline=base, best=base)
    assert "the columns say little" in sentences.verdict(report)[1]
    report = replace(report, left_out=(LeftOut("model", "7 were too large."),))
    assert sentences.verdict(report) == ("bad", "The answer is always the mean (3): 7 were too large.")


def test_reports_of_the_first_files_are_read() -> None:
    plain = sample().to_json()
    del plain["left_out"], plain["facts"]["fingerprint"]
    assert Report.from_json(plain) == sample()


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("log_loss", "raises the log-loss by 0.5."),
        ("my", "raises the metric 'my' by 0.5."),
        ("<lambda>", "raises the metric by 0.5."),
    ],
)
def test_metrics_of_the_user_s_have_a_place_in_sentences(metric: str, words: str) -> None:
    report = replace(
        sample(), facts=replace(sample().facts, metric=metric), importance=(Importance("a", 0.5),)
    )
    assert words in sentences.importance_words(report)
    assert "the my" not in report.html()
