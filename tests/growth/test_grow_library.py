"""Growing with a library: what is known is tried, parts of it are called, and what was found is kept."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import meristem as ms
from meristem.errors import InputError
from meristem.growth.keeping import name_for
from meristem.language import parse_term
from meristem.library import Library
from meristem.search.enumeration.entries import EnumerateWith
from meristem.search.programs import Problem
from meristem.search.programs.entries import Recall, entry_cost
from meristem.values import column_from

sys.path.insert(0, str(Path(__file__).parents[1] / "library"))

from library_samples import program

ROWS = [[4, 7, 2, 9, 6], [8, 3, 1, 6, 2, 10], [5, 12, 4, 2, 7], [2, 1, 8, 14]]
LEAST = "take(sort(filter(i => is_even(i), x)), 3)"


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path / "lib") as found:
        found.add(program(LEAST, ROWS, name="least evens"))
        yield found


def task(function: Any, rows: Any = ROWS, name: str = "task") -> ms.ExampleTask:
    return ms.Task.from_examples(
        [(row, function(*row) if isinstance(row, tuple) else function(row)) for row in rows], name=name
    )


def least(x: list[int]) -> list[int]:
    return sorted(v for v in x if v % 2 == 0)[:3]


QUICK = ms.Budget(trials=60)


def test_a_task_that_is_known_is_answered_at_once(library: Library) -> None:
    model = ms.grow(
        task(least, [[8, 2, 5, 4, 6], [10, 1, 12, 20, 2]]), budget=QUICK, quiet=True, library=library
    )
    report = model.report()
    assert report.programs[0].finder == "library"
    assert model([6, 4, 2, 8, 1]) == [2, 4, 6]
    entry = library["task"]
    assert entry.model().hash == model.hash
    (use,) = library["least evens"].uses()
    assert (use.user, use.how, use.task) == ("task@1", "as it is", "task")


def test_inputs_in_another_order_are_tried(tmp_path: Path) -> None:
    with Library(tmp_path) as library:
        rows = [([3, 1, 2], 2), ([9, 8, 7], 1), ([4, 6, 5], 3)]
        wanted = task(lambda x, n: sorted(x)[:n], rows)
        known = ms.grow(wanted, sketch="take(sort(x1), x2)", budget=QUICK, quiet=True)
        library.add(known, "some least")
        turned = [(n, x) for x, n in rows]
        model = ms.grow(task(lambda n, x: sorted(x)[:n], turned), budget=QUICK, quiet=True, library=library)
        assert model.report().programs[0].finder == "library"
        assert model(2, [5, 4, 6]) == [4, 5]


def test_parts_are_called_and_put_in(library: Library) -> None:
    found: dict[Any, Any] = {}
    problem = Problem(
        {"x": column_from(ROWS, program(LEAST, ROWS).program.inputs["x"])},
        column_from([sum(least(row)) for row in ROWS], ms.Task.from_examples([(1, 2)]).answers.type),
    )
    finder = EnumerateWith(library, found)
    assert finder.suits(problem)
    terms = []
    for turn, each in enumerate(finder.find(problem)):
        if each is not None and each.term in found:
            terms.append(each.term)
            break
        assert turn < 3000
    assert terms == [parse_term("sum(take(sort(filter(i => is_even(i), x)), 3))")]
    assert [entry.name for entry in found[terms[0]]] == ["least evens"]


def test_what_was_made_with_a_part_runs_without_the_library(library: Library, tmp_path: Path) -> None:
    wanted = task(lambda x: [v + 1 for v in least(x)], name="grown least")
    model = ms.grow(wanted, budget=ms.Budget(trials=3000), quiet=True, library=library)
    assert model.report().programs[0].finder == "library parts"
    assert [u.user for u in library["least evens"].uses()] == ["grown least@1"]
    model.save(tmp_path / "model.mst")
    library.rm("least evens")
    library.gc()
    assert ms.load(tmp_path / "model.mst")([6, 4, 2, 8, 1]) == [3, 5, 7]  # type: ignore[operator]
    assert library["grown least"].model().hash == model.hash
    assert library.fsck().ok


def test_the_library_may_be_named_by_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERISTEM_LIBRARY", str(tmp_path / "mine"))
    double = ms.Task.from_examples([(1, 2), (2, 4), (5, 10)])
    ms.grow(double, budget=QUICK, quiet=True, library=True)
    assert len(Library()) == 1
    ms.grow(double, budget=QUICK, quiet=True, library=tmp_path / "other")
    assert [e.name for e in Library(tmp_path / "other")] == [e.name for e in Library()]
    ms.grow(double, budget=QUICK, quiet=True)
    assert len(Library()) == 1
    with pytest.raises(InputError, match="library"):
        ms.grow(double, budget=QUICK, quiet=True, library=3)  # type: ignore[call-overload]


def test_an_empty_library_changes_nothing(tmp_path: Path) -> None:
    wanted = task(lambda x: x[::-1])
    plain = ms.grow(wanted, budget=QUICK, quiet=True)
    with_it = ms.grow(wanted, budget=QUICK, quiet=True, library=tmp_path)
    assert plain.hash == with_it.hash


def test_a_library_that_cannot_be_written_costs_no_model(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise InputError("cannot write to the library: database or disk is full")

    monkeypatch.setattr(Library, "add", full)
    said: list[str] = []

    def listen(event: Any) -> None:
        said.append(str(getattr(event, "text", "")))

    model = ms.grow(task(least), budget=QUICK, quiet=True, library=library, listeners=[listen])
    assert model([2, 4]) == [2, 4]
    assert any("not kept" in text for text in said)


def test_an_entry_that_is_damaged_is_passed_over(library: Library) -> None:
    library.add(program("reverse(x)", ROWS, name="backwards"))
    library.forget()
    with library.index.writing(), library.index.transaction() as connection:
        connection.execute(
            "UPDATE object SET bytes = zeroblob(10) WHERE hash = (SELECT card FROM entry WHERE name = 'least evens')"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = ms.grow(task(lambda x: x[::-1]), budget=QUICK, quiet=True, library=library)
    assert model([1, 2]) == [2, 1]


def test_wrong_entries_do_not_win(library: Library) -> None:
    """An entry that answers the examples by chance does not replace a likelier program."""
    library.add(program("take(concat_lists(x, [1, 5]), 3)", [[3, 9, 4]], name="odd one"))
    model = ms.grow(
        ms.Task.from_examples([([3, 9, 4], [3, 9, 4]), ([1, 2], [1, 2, 1])]),
        budget=ms.Budget(trials=40),
        quiet=True,
        library=library,
    )
    assert model([7, 8]) == [7, 8, 1]
    other = ms.grow(
        ms.Task.from_examples([([3, 9, 4], [3, 9, 4]), ([1, 2, 7], [1, 2, 7])]),
        budget=ms.Budget(trials=40),
        quiet=True,
        library=library,
    )
    assert str(other.report().program) == "x"


def test_an_entry_costs_less_the_more_it_was_used() -> None:
    costs = [entry_cost(uses) for uses in (0, 1, 3, 10, 1000)]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] > costs[-1] >= 3


def test_a_model_without_a_name_is_called_by_its_program() -> None:
    assert name_for(program(name="program")) == "take(sort(x) 2)"
    assert name_for(program(name="../evil@1")) == "evil 1"


def test_recall_ends_by_its_deadline(library: Library) -> None:
    rows = column_from(ROWS, program(LEAST, ROWS).program.inputs["x"])
    problem = Problem({"x": rows}, rows)
    assert [found for found in Recall(library, {}, deadline=0.0).find(problem) if found is not None] == []
