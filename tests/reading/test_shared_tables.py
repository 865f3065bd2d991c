"""Real tables: kinds and identifiers as a person listed them. Run where the sample tables are at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from meristem.task import Task

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "tables"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the sample tables are not beside the repository")
INDEX: list[dict[str, Any]] = json.loads((FOLDER / "INDEX.json").read_text()) if FOLDER.is_dir() else []


@pytest.mark.parametrize("entry", INDEX, ids=[e["file"] for e in INDEX])
def test_real_tables_are_read_as_a_person_reads_them(entry: dict[str, Any]) -> None:
    task = Task.from_table(FOLDER / entry["file"], entry["target"])
    assert len(task) == entry["rows"]
    assert task.kind == entry["task"]
    if task.kind == "classification":
        labels = task.target.to_list()
        assert {label: labels.count(label) for label in set(labels)} == entry["classes"]
    identifiers = {f.column for f in task.findings if f.kind == "identifier"}
    assert identifiers == set(entry.get("identifier_columns", []))
    assert not [f for f in task.findings if f.kind == "leak"]
    words = {f.name for f in task.schema.features if f.kind in ("class", "text", "bool", "datetime")}
    texts = set(entry["text_columns"]) - identifiers
    # Columns of numbers that a cell or two keep from being numbers are what "text" means in the index.
    assert words == texts | ({"doors", "persons"} & words)
    missing = sum(entry["missing_tokens"].values())
    if not identifiers and not task.schema.dropped:
        gaps = sum(int((~column.present).sum()) for column in task.inputs["row"].fields.values())  # type: ignore[attr-defined]
        assert gaps == missing


@pytest.mark.parametrize("entry", INDEX, ids=[e["file"] for e in INDEX])
def test_frames_of_pandas_are_read_like_the_files(entry: dict[str, Any]) -> None:
    task = Task.from_table(FOLDER / entry["file"], entry["target"])
    frame = pd.read_csv(FOLDER / entry["file"], keep_default_na=False)
    rows, warnings = task.schema.rows(frame)
    assert warnings == []
    assert rows.to_list() == task.inputs["row"].to_list()
    assert task.schema.target_column(frame).to_list() == task.target.to_list()
