"""Diagrams of long lists, grown by asking the program."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from glance_reader import IMAGE, over_list

from meristem.errors import ResourceError
from meristem.training.lifted import Diagram, Plans, Variable, split_term
from meristem.training.lifted.automata import Automaton, drawn_lists
from meristem.types import list_of


def diagram(body: str, length: int, classes: int = 4, most_rows: int = 10) -> Diagram | None:
    """The diagram of a program over lists; with few rows allowed it is grown, not read off a table."""
    split = split_term(over_list(body, classes), {"xs": list_of(IMAGE)})
    variables = [Variable(0, k) for k in range(length)]
    return Plans(split, most_rows=most_rows).of({"xs": list(range(length))}, length, variables)


PROGRAMS = [
    "sum(DIGITS)",
    "max(DIGITS) - min(DIGITS)",
    "get(sort(DIGITS), length(xs) - 2)",
    "argmax(DIGITS)",
    "length(unique(DIGITS))",
    "DIGITS == sort(DIGITS)",
    "longest_run(DIGITS)",
    "first(filter(d => d > 2, DIGITS))",
    "get(DIGITS, 2)",
    "to_real(sum(DIGITS)) / to_real(length(xs))",
    "length(filter(d => d % 2 == 0, DIGITS)) * 2 > length(xs)",
]


@pytest.mark.parametrize("body", PROGRAMS)
def test_grown_and_read_off_a_table_they_are_the_same(body: str) -> None:
    grown, table = diagram(body, 6), diagram(body, 6, most_rows=4**6)
    assert grown is not None
    assert table is not None
    assert grown.states == table.states  # both minimal
    weights = np.random.default_rng(0).dirichlet(np.ones(4), (6, 2))
    one = dict(zip(map(str, grown.answers.values), grown.probabilities(_used(grown, weights)).T, strict=True))
    other = dict(
        zip(map(str, table.answers.values), table.probabilities(_used(table, weights)).T, strict=True)
    )
    assert one.keys() == other.keys()
    for answer, probability in one.items():
        np.testing.assert_allclose(probability, other[answer], atol=1e-12)


def _used(found: Diagram, weights: Any) -> list[Any]:
    return [weights[v.image] for v in found.variables]


def test_lists_of_a_hundred() -> None:
    found = diagram("sum(DIGITS)", 100, 10)
    assert found is not None
    assert found.states == tuple(9 * t + 1 for t in range(101))
    weights = np.random.default_rng(1).dirichlet(np.ones(10), (100, 1))
    probability = found.probabilities(list(weights))[0]
    assert probability.sum() == pytest.approx(1.0, abs=1e-6)
    mean = float((weights[:, 0] @ np.arange(10)).sum())
    assert float(probability @ np.array(found.answers.values)) == pytest.approx(mean)
    second = diagram("get(sort(DIGITS), length(xs) - 2)", 100, 10)
    assert second is not None
    assert max(second.states) == 55
    lists = drawn_lists(10, 100, 400, np.random.default_rng(2))
    wanted = np.sort(lists, axis=1)[:, -2].tolist()
    assert [second.answers.values[k] for k in second.answer(lists)] == wanted


def test_rare_events_are_seen() -> None:
    """A pair that hardly ever occurs in uniform lists: what a few random lists would miss."""
    body = "any(p => p, zip_with((a, b) => a == 9 and b == 8, DIGITS, drop(DIGITS, 1)))"
    found = diagram(body, 12, 10)
    assert found is not None
    lists = np.random.default_rng(3).integers(0, 10, (3000, 12))
    wanted = ((lists[:, :-1] == 9) & (lists[:, 1:] == 8)).any(axis=1)
    assert wanted.any()
    assert [found.answers.values[k] for k in found.answer(lists)] == wanted.tolist()


def test_too_many_states_are_refused() -> None:
    assert diagram("sort(DIGITS)", 12, 10) is None

    def ask(readings: np.ndarray) -> np.ndarray:
        place = np.arange(readings.shape[1])
        return readings @ 3**place

    with pytest.raises(ResourceError, match="states"):
        Automaton(ask, 3, np.random.default_rng(0), most_states=50).layers(8)


def test_only_lists_of_images_are_grown() -> None:
    split = split_term(over_list("sum(DIGITS)"), {"xs": list_of(IMAGE)})
    plans = Plans(split, most_rows=10)
    assert plans.of({"xs": [0, 2, 1]}, 3, [Variable(0, 0), Variable(0, 2), Variable(0, 1)]) is None
