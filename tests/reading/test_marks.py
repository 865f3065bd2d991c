"""Repeated words among numbers mark missing ones, from the file to the prediction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from meristem.task import Task


def table(place: Path, marks: tuple[str, ...], comma: bool, every: int = 10) -> Path:
    """Two hundred rows; a word of `marks` in each tenth of the column `a`."""
    rng = np.random.default_rng(1)
    lines = [["a", "b", "y"]]
    for k in range(200):
        cells = [f"{v:.3f}".replace(".", "," if comma else ".") for v in rng.normal(size=3)]
        lines.append([marks[k // every % len(marks)], *cells[1:]] if k % every == 0 else cells)
    place.write_text("".join((";" if comma else ",").join(line) + "\n" for line in lines))
    return place


@pytest.mark.parametrize("comma", [False, True])
@pytest.mark.parametrize(
    "marks", [("k.A.",), ("unbekannt",), ("#NV",), ("keine Angabe",), ("k.A.", "?!", "x")]
)
def test_a_tenth_of_words_among_numbers_is_missing(
    tmp_path: Path, marks: tuple[str, ...], comma: bool
) -> None:
    task = Task.from_table(table(tmp_path / "t.csv", marks, comma), "y")
    assert task.schema is not None
    feature = {f.name: f for f in task.schema.features}["a"]
    assert (feature.kind, set(feature.words)) == ("real", set(marks))
    said = [f.text for f in task.findings]
    listed, verb = ", ".join(repr(w) for w in sorted(marks)), "is" if len(marks) == 1 else "are"
    assert said == [f"{listed} in 20 rows of 'a' {verb} taken for missing"]
    _, warnings = task.schema.rows({"a": [marks[0], "0,5" if comma else "0.5"], "b": [0.5, 0.5]})
    assert warnings == []


def test_more_words_than_a_fifth_are_no_marks(tmp_path: Path) -> None:
    task = Task.from_table(table(tmp_path / "t.csv", ("k.A.",), False, every=4), "y")
    assert task.schema is not None
    assert not [f for f in task.schema.features if f.name == "a" and f.kind == "real"]


def test_words_among_few_codes_are_codes() -> None:
    codes = [str(k % 4) if k % 7 else "rotary" for k in range(200)]
    task = Task.from_table({"x": codes, "y": np.arange(200) ** 1.5}, "y")
    assert task.schema is not None
    assert task.schema.features[0].kind == "class"


def test_duplicates_are_counted_before_columns_are_left_out() -> None:
    names = [f"name {k:03d}" for k in range(200)]
    table = {"name": names, "x": [k % 3 + 0.5 for k in range(200)], "y": [k % 3 + 0.25 for k in range(200)]}
    assert not [f for f in Task.from_table(table, "y").findings if f.kind == "duplicates"]
    twice = {name: [*values, *values[:20]] for name, values in table.items()}
    found = [f.text for f in Task.from_table(twice, "y").findings if f.kind == "duplicates"]
    assert found == ["20 rows repeat an earlier row exactly (9.1 % of all)"]
