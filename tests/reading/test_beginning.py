"""What the beginning of a large text table shows of its target."""

from __future__ import annotations

from pathlib import Path

import pytest

from meristem.reading.beginning import early_target

ROWS = 80_000


def large(tmp_path: Path, cells: list[str], late: list[str] = [], delimiter: str = ",") -> Path:  # noqa: B006
    """A table of some megabytes whose column `y` repeats the cells, and ends with others."""
    file = tmp_path / "large.csv"
    pad = "x" * 30
    lines = [f"{pad}{delimiter}{cells[k % len(cells)]}" for k in range(ROWS)]
    file.write_text("\n".join([f"pad{delimiter}y", *lines, *(f"{pad}{delimiter}{c}" for c in late)]) + "\n")
    return file


@pytest.mark.parametrize(
    ("cells", "delimiter", "kind"),
    [
        (["cat", "dog", "", "NA"], ",", "classification"),
        (["yes", "no"], ";", "classification"),
        (["1.5", "2", "", "-3.25"], ",", "regression"),
        (["1,5", "2", "-3,25"], ";", "regression"),
        # What the beginning cannot settle.
        (["0", "1"], ",", None),
        (["0.0", "1.0"], ",", None),
        ([str(k) for k in range(30)], ",", None),
        (["1.5", "2", "three"], ",", None),
        (["", "NA"], ",", None),
        (["2024-01-02", "2024-01-03"], ",", "classification"),
    ],
)
def test_what_leaves_no_doubt_is_said(
    tmp_path: Path, cells: list[str], delimiter: str, kind: str | None
) -> None:
    target = early_target(large(tmp_path, cells, delimiter=delimiter), "y")
    assert (None if target is None else target.kind) == kind


def test_only_the_beginning_is_read(tmp_path: Path) -> None:
    file = large(tmp_path, ["cat", "dog"], late=["bird"])
    target = early_target(file, "y")
    assert target is not None
    assert target.type.labels == ("cat", "dog")


def test_what_is_no_large_text_table_is_left_to_who_reads_it(tmp_path: Path) -> None:
    small = tmp_path / "small.csv"
    small.write_text("y\n" + "cat\n" * 100)
    binary = tmp_path / "binary.csv"
    binary.write_bytes(bytes(range(256)) * 10_000)
    for path, name in (
        (small, "y"),
        (binary, "y"),
        (tmp_path / "none.csv", "y"),
        (large(tmp_path, ["a"]), "z"),
    ):
        assert early_target(path, name) is None
