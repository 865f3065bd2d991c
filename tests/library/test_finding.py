"""Finding entries by type, words, what they do, likeness of task; and what the picture shows of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

import meristem as ms
from meristem.errors import InputError
from meristem.language import parse_term
from meristem.library import Library
from meristem.library.describe import principal
from meristem.library.probes import can_probe, probes_of
from meristem.library.running import inlined, runner_of, substituted
from meristem.library.signature import COUNT, count_properties, likelihoods, pack, unpack
from meristem.types import BOOL, INT, TEXT, Type, list_of, option_of, pair_of, parse_type

sys.path.insert(0, str(Path(__file__).parent))

from library_samples import EVENS, program

LISTS = {
    "two least": "take(sort(x), 2)",
    "evens": EVENS,
    "backwards": "reverse(x)",
    "without first": "rest(x)",
    "doubled": "map(i => i * 2, x)",
    "grown": "map(i => i + 1, x)",
    "twice over": "concat_lists(x, x)",
    "last three": "take_last(x, 3)",
    "no repeats": "unique(x)",
    "sorted down": "sort_descending(x)",
}
NUMBERS = {"total": "sum(x)", "greatest": "max(x)", "how many": "length(x)", "spread": "max(x) - min(x)"}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    rows = [[3, 1, 2, 8], [9, 8, 7, 1, 4], [4, 4, 6], [5, 2, 2, 10, 7, 3]]
    with Library(tmp_path_factory.mktemp("finding") / "lib") as found:
        for name, text in LISTS.items():
            found.add(program(text, rows, name=name))
        for name, text in NUMBERS.items():
            found.add(program(text, rows, "(list[int]) -> int", name))
        found.add(program("upper(x)", ["a b", "Cd", "e"], "(text) -> text", "loud"))
        yield found


def names(matches: list[ms.library.Match]) -> list[str]:
    return [match.entry.name for match in matches]


def test_by_words(library: Library) -> None:
    assert names(library.search("greatest")) == ["greatest"]
    assert set(names(library.search("max"))) == {"greatest", "spread"}
    assert names(library.search("max subtract")) == ["spread"]
    assert names(library.search("GREAT")) == ["greatest"]
    assert library.search("nothing of the kind") == []
    assert library.search("'; DROP TABLE entry; --") == []
    assert len(library) == 15


def test_by_type(library: Library) -> None:
    assert set(names(library.search(type="list[int] -> int"))) == set(NUMBERS)
    texts = set(names(library.search(type="list[text] -> list[text]")))
    assert texts == {
        "two least",
        "backwards",
        "without first",
        "twice over",
        "last three",
        "no repeats",
        "sorted down",
    }
    assert names(library.search(type="text -> text")) == ["loud"]
    assert set(names(library.search(type="text -> a"))) == {"loud"}
    assert len(library.search(type="list[b] -> c", limit=50)) == 14
    assert names(library.search("greatest", type="list[int] -> int")) == ["greatest"]
    with pytest.raises(InputError, match="type"):
        library.search(type="list[")
    with pytest.raises(InputError, match="function"):
        library.search(type="int")
    with pytest.raises(InputError, match="got nothing"):
        library.search()
    with pytest.raises(InputError, match="limit"):
        library.search("x", limit=0)


@pytest.mark.parametrize("name", [*LISTS, *NUMBERS])
def test_by_what_it_does(library: Library, name: str) -> None:
    text = {**LISTS, **NUMBERS}[name]
    result = list_of(INT) if name in LISTS else INT
    runner = runner_of(parse_term(text), ["x"], [list_of(INT)], result)
    assert runner is not None
    rows = [[6, 2, 9, 2, 14], [1, 12, 5, 30], [8, 3], [11, 7, 20, 20, 1, 0]]
    found = library.search(examples=[(row, runner.answer([row]).value) for row in rows])
    assert names(found) == [name]


def test_what_sorts_numbers_sorts_texts(library: Library) -> None:
    assert names(library.search(examples=[(["b", "c", "a"], ["a", "b"]), (["z", "y"], ["y", "z"])])) == [
        "two least"
    ]
    assert library.search(examples=[([1, 2], [99])]) == []


def test_likely_entries_come_first(library: Library) -> None:
    task = ms.Task.from_examples(
        [([6, 2, 9], [9, 2, 6]), ([1, 5, 7, 2], [2, 7, 5, 1]), ([3, 1, 4], [4, 1, 3])]
    )
    first = [library.finding.numbers[place] for place, _ in library.finding.likeliest(task)]
    assert library.numbered([int(first[0])])[0].name == "backwards"
    assert names(library.search(task=task))[0] == "backwards"


def test_entries_that_do_the_same_are_known_as_such(library: Library, tmp_path: Path) -> None:
    with Library(tmp_path) as other:
        other.add(program("take(sort(x), 2)", name="one"))
        other.add(program("reverse(take_last(sort_descending(x), 2))", name="another"))
        other.add(program("take(sort(x), 3)", name="third"))
        other.finding.refresh()
        same = other.finding.same.tolist()
        assert same[0] == same[1] != same[2]


def test_what_other_processes_added_is_found(library: Library, tmp_path: Path) -> None:
    with Library(tmp_path) as one, Library(tmp_path) as other:
        one.add(program())
        assert names(other.search("least")) == ["two least"]
        one.add(program(EVENS, name="evens"))
        assert names(other.search(examples=[([1, 2, 4], [2, 4]), ([5, 6], [6])])) == ["evens"]
        one.rm("evens")
        assert other.search("evens") == []
        one.gc()
        one.add(program("rest(x)", name="after"))
        assert names(other.search("after")) == ["after"]


def test_a_search_is_quick(library: Library) -> None:
    examples = [([6, 2, 9, 2, 14], [14, 2, 9, 2, 6]), ([1, 12, 5, 30], [30, 5, 12, 1])]
    library.search(examples=examples)
    began = time.process_time()
    for _ in range(10):
        library.search(type="list[int] -> list[int]")
        library.search("max")
        library.search(examples=examples, limit=1)
    assert time.process_time() - began < 30 * 0.05


# ---------------------------------------------------------------------------------------------- parts of it


def test_the_most_general_type() -> None:
    assert (
        str(principal(parse_term("take(sort(x), n)"), ("x", "n"))) == "(list[a], int) -> list[a] where a: ord"
    )
    assert str(principal(parse_term("map(i => i + 1, x)"), ("x",))) == "(list[int]) -> list[int]"
    assert principal(parse_term("upper(x) + 1"), ("x",)) is None


def test_probes_depend_on_the_type_alone() -> None:
    types: tuple[Type, ...] = (list_of(INT), TEXT, option_of(BOOL), pair_of(INT, list_of(TEXT)))
    assert all(map(can_probe, types))
    assert probes_of(types) == probes_of(types)
    assert len({repr(row) for row in probes_of(types)}) > 10
    assert not can_probe(parse_type("list[a]"))
    assert not can_probe(parse_type("image[28, 28, 1]"))


def test_signatures_tell_programs_apart() -> None:
    reverse = [(([1, 2, 3],), [3, 2, 1], True), (([5, 6],), [6, 5], True)]
    rest = [(([1, 2, 3],), [2, 3], True), (([5, 6],), [6], True)]
    one, other = count_properties(reverse), count_properties(rest)
    known = unpack([pack(*one), pack(*other)])
    assert known.shape == (COUNT, 2)
    holds, asked = count_properties([(([7, 8, 9],), [9, 8, 7], True)])
    assert likelihoods(known, holds, asked).argmax() == 0
    holds, asked = count_properties([(([7, 8, 9],), [8, 9], True)])
    assert likelihoods(known, holds, asked).argmax() == 1
    odd = [((float("inf"), {"a": [1]}, "x" * 1000), {"k": None}, True), ((None,), None, False)]
    count_properties(odd)  # whatever values there are, nothing is raised


def test_bodies_are_put_in_without_catching_names() -> None:
    term = parse_term("map(y => f(y, x), zs)")
    body = parse_term("map(x => x + b, a)")
    done = inlined(term, "f", ("b", "a"), body)
    assert done.free_names == {"x", "zs"}
    runner = runner_of(done, ["x", "zs"], [list_of(INT), list_of(INT)], list_of(list_of(INT)))
    assert runner is not None
    assert runner.answer([[1, 2], [10, 20]]).value == [[11, 12], [21, 22]]
    swapped = substituted(parse_term("map(y => y + x, z)"), {"x": parse_term("y")})
    assert swapped.free_names == {"y", "z"}
    twice = inlined(parse_term("g(first(sort(x)))"), "g", ("v",), parse_term("v + v"))
    assert twice.size < 10  # bound once, not copied
    runner = runner_of(twice, ["x"], [list_of(INT)], INT)
    assert runner is not None
    assert runner.answer([[4, 3]]).value == 6


def test_the_picture_stands_alone(library: Library, tmp_path: Path) -> None:
    svg = library.picture()
    ElementTree.fromstring(svg)
    assert svg.startswith("<svg ")
    assert "two least@1" in svg
    assert "Algorithmic: 15 entries" in svg
    assert "nothing yet" in svg
    assert "script" not in svg
    with Library(tmp_path) as other:
        entry = other.add(program(), doc="<script>alert(1)</script> & more")
        other.add(program(EVENS, name="evens"), uses=[entry])
        text = other.picture()
        ElementTree.fromstring(text)
        assert "<script>" not in text
        assert text.count('class="e"') == 1
        assert "used 1" in text
