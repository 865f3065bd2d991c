"""Models and libraries that the tests of the library share, made without a search."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from meristem.language import parse_term
from meristem.library import Library
from meristem.model import Program, ProgramModel
from meristem.types import parse_type
from meristem.values import column_from

EVENS = "filter(i => is_even(i), x)"


def program(
    text: str = "take(sort(x), 2)",
    rows: Sequence[Any] = ([3, 1, 2], [9, 8, 7, 1], [4, 4]),
    type_: str = "(list[int]) -> list[int]",
    name: str = "two least",
    answers: Sequence[Any] | None = None,
    wrong: Sequence[int] = (),
) -> ProgramModel:
    """A program of one input `x`, with what it gives for some rows as its examples."""
    function = parse_type(type_)
    made = Program(parse_term(text), {"x": function.parameters[0]}, function.result, {}, exact=True)
    inputs = {"x": column_from(list(rows), function.parameters[0])}
    given = (
        made.run(inputs, rows=len(rows)).column
        if answers is None
        else column_from(list(answers), function.result)
    )
    return ProgramModel(made, name, "output", inputs, given, {"wrong": [{"number": k} for k in wrong]})


def large_program(seed: int = 0) -> ProgramModel:
    """A program whose examples take more than 64 KiB: its file becomes a blob."""
    values = np.random.default_rng(seed).integers(-(2**62), 2**62, 10_000).tolist()
    return program("reverse(x)", [values, [seed, 2]], name=f"large {seed}")


def filled(path: Path) -> Library:
    """A small library: two programs, a second version of one, a blob, a subroutine, uses."""
    library = Library(path)
    least = library.add(program())
    library.add(program(EVENS, name="evens"))
    library.add(program("take(sort(x), 3)", name="two least"), uses=[(least, "grown from")])
    library.add(large_program())
    return library


def smaller_pages(path: Path) -> None:
    """The index of a library with pages of 512 bytes: fewer bytes to try each of."""
    for name in ("index.seal",):
        (path / name).unlink(missing_ok=True)
    connection = sqlite3.connect(path / "index.sqlite", isolation_level=None)
    for words in ("PRAGMA journal_mode=DELETE", "PRAGMA page_size=512", "VACUUM", "PRAGMA journal_mode=WAL"):
        connection.execute(words)
    connection.close()
    with Library(path) as library:
        assert library.index.seal()


def state_of(library: Library) -> list[tuple[Any, ...]]:
    """All that a library holds, for comparing."""
    return [
        (e.name, e.version, e.card.to_bytes(), library.content(e.hash), [(u.user, u.how) for u in e.uses()])
        for e in library.entries(all_versions=True)
    ]


def files_of(path: Path) -> list[Path]:
    """The files of a library, the lock left out: it holds nothing."""
    found = [Path(folder) / name for folder, _, names in os.walk(path) for name in names]
    return sorted(p for p in found if p.name != "lock")
