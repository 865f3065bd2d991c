"""Programs over readings, ranked before anything is trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from meristem.errors import InputError
from meristem.language.interpreter import evaluate
from meristem.language.text import format_term, parse_term
from meristem.search.enumeration._pools import FAIL
from meristem.search.hybrid import (
    Effort,
    Look,
    Ranking,
    look_at,
    rank_known,
    rank_programs,
    reader_of,
    reading_problem,
)
from meristem.search.hybrid.folds import fold_leaves
from meristem.search.hybrid.relabelling import not_told_apart, same_up_to_classes
from meristem.search.hybrid.scoring import run_on
from meristem.training.lifted import split_term
from meristem.training.lifted.tables import joint_readings
from meristem.types import BOOL, INT, list_of, parse_type
from meristem.values import Column, Dense, Lists, column_from, offsets_from

IMAGE = parse_type("image[2, 2, 1]")
LOOK = look_at({"xs": list_of(IMAGE)})


def blank(count: int) -> Dense:
    """Images on which nothing is seen."""
    return Dense(IMAGE, np.zeros((count, 2, 2, 1)))


def ranked(truth: Callable[[list[int]], Any], classes: int = 4, levels: int = 6) -> Ranking:
    rng = np.random.default_rng(0)
    data = [rng.integers(0, classes, 2 + k % 3).tolist() for k in range(600)]
    answers = [truth(xs) for xs in data]
    offsets = offsets_from(np.array([len(xs) for xs in data]))
    images: dict[str, Column] = {"xs": Lists(offsets, blank(int(offsets[-1])))}
    target = column_from(answers, BOOL if isinstance(answers[0], bool) else INT)
    return rank_programs(
        reading_problem(LOOK, images, target, classes), effort=Effort(levels=levels, kept=60_000, rows=60)
    )


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("sum(xs)", sum),
        ("max(xs)", max),
        ("spread(xs)", lambda xs: max(xs) - min(xs)),
        # Labels say little here: programs that can be bent to them must not win for it.
        ("argmax(xs)", lambda xs: xs.index(max(xs))),
        ("length(unique(xs))", lambda xs: len(set(xs))),
    ],
)
def test_labels_alone_rank_the_truth_first(text: str, truth: Callable[[list[int]], Any]) -> None:
    found = ranked(truth)
    assert format_term(found.programs[0].term) == text
    assert found.gap(found.programs[0]) < 0.03
    assert found.programs[0].impossible == 0
    assert found.guessing <= found.best


def test_a_program_that_cannot_give_the_labels_is_out() -> None:
    found = ranked(lambda xs: 100 + sum(xs))
    # Nothing of so little cost reaches beyond a hundred.
    assert not found.programs or found.programs[0].impossible > 0


def test_renamed_classes_are_a_tie_with_its_reason() -> None:
    found = ranked(max, levels=8)
    (first, *_) = found.programs
    reasons = {format_term(tie.term): tie.reason for tie in first.ties}
    assert reasons["3 - min(xs)"] == "the same program once classes are renamed"


def test_renaming_is_checked_on_all_readings() -> None:
    sizes, blocks = [1, 2], [slice(0, 4), slice(4, 20)]
    every = [joint_readings([4] * n) for n in sizes]
    most = np.concatenate([v.max(axis=1) for v in every])
    least = np.concatenate([v.min(axis=1) for v in every])
    total = np.concatenate([v.sum(axis=1) for v in every])
    renamed = same_up_to_classes(most, 3 - least, 4, blocks, sizes)
    assert renamed == (3, 2, 1, 0)
    assert same_up_to_classes(most, total, 4, blocks, sizes) is None
    assert same_up_to_classes(most, least, 4, blocks, sizes) is None


def test_folds_give_what_the_interpreter_gives() -> None:
    rng = np.random.default_rng(1)
    column = column_from([rng.integers(0, 5, k % 5).tolist() for k in range(40)], list_of(INT))
    leaves = fold_leaves("xs", column, 5, 0)
    assert len(leaves) > 20
    names = {leaf.terms[0].name for _, leaf in leaves}  # type: ignore[attr-defined]
    assert names == {"fold", "fold_right"}
    for _, leaf in leaves[::7]:
        done = evaluate(leaf.terms[0], {"xs": column}, rows=40)
        assert not done.failures.any()
        assert FAIL not in leaf.ids
        assert done.column.to_list() == leaf.ids[:, 0].tolist()


def test_classes_that_no_answer_tells_apart_are_found() -> None:
    lists = joint_readings([5, 5]).tolist()
    blocks, sizes = [slice(0, 25)], [2]

    def groups(truth: Callable[[list[int]], Any]) -> list[tuple[int, ...]]:
        return not_told_apart(np.array([int(truth(xs)) for xs in lists]), 5, blocks, sizes)

    assert groups(sum) == []
    assert groups(lambda xs: sum(xs) % 2) == [(0, 2, 4), (1, 3)]
    assert groups(lambda xs: max(xs) > 2) == [(0, 1, 2), (3, 4)]
    assert groups(lambda xs: xs[0]) == []
    assert groups(lambda xs: len(set(xs))) == []  # one for another everywhere, but not anywhere


def test_known_readings_may_be_wrong() -> None:
    rng = np.random.default_rng(2)
    data = [rng.integers(0, 10, 2 + k % 4).tolist() for k in range(200)]
    answers = [sum(x % 2 == 0 for x in xs) for xs in data]
    seen = [[x if rng.random() > 0.02 else (x + 1) % 10 for x in xs] for xs in data]
    readings = {"xs": column_from(seen, list_of(INT))}
    found = rank_known(LOOK, readings, column_from(answers, INT), 10, effort=Effort(levels=8))
    assert format_term(found.programs[0].term) == "count(x => is_even(x), xs)"
    assert 0.85 < found.programs[0].right < 1
    assert found.programs[0].score > found.guessing


def test_a_wrong_answer_everywhere_explains_nothing() -> None:
    rng = np.random.default_rng(3)
    data = [rng.integers(0, 4, 3).tolist() for _ in range(150)]
    answers = [xs == sorted(xs) for xs in data]
    found = rank_known(LOOK, {"xs": column_from(data, list_of(INT))}, column_from(answers, BOOL), 4)
    assert found.programs[0].right == 1


@pytest.mark.parametrize(
    ("inputs", "body", "text"),
    [
        ("list[image[2, 2, 1]]", "sum(a)", "sum(map(x => class_number(convnet{; class[4]}@eye(x)), a))"),
        ("image[2, 2, 1]", "a + 1", "class_number(convnet{; class[4]}@eye(a)) + 1"),
        ("pair[image[2, 2, 1], image[2, 2, 1]]", "a_left + a_right", None),
        ("list[image[2, 2, 1]]", "max(a) - min(a)", None),
    ],
)
def test_programs_over_readings_become_programs_over_images(inputs: str, body: str, text: str | None) -> None:
    look = look_at({"a": parse_type(inputs)})
    term = look.over_images(parse_term(body), reader_of(look.image, 4, "eye"))
    assert split_term(term, look.inputs).result == INT
    assert len(split_term(term, look.inputs).readers) == 1
    if text is not None:
        assert term == parse_term(text)
    assert parse_term(format_term(term)) == term


def test_enumerated_readings_hold_one_shape_whole() -> None:
    rng = np.random.default_rng(0)
    data = [rng.integers(0, 4, 2 + k % 3).tolist() for k in range(90)]
    offsets = offsets_from(np.array([len(xs) for xs in data]))
    images: dict[str, Column] = {"xs": Lists(offsets, blank(int(offsets[-1])))}
    problem = reading_problem(LOOK, images, column_from([sum(xs) for xs in data], INT), 4)
    columns, whole, shape = problem.to_enumerate(30, rng)
    size = int(problem.shapes[shape, 0])
    assert whole == 4**size
    first = columns["xs"].take(np.arange(whole)).to_list()
    assert sorted(map(tuple, first)) == sorted(map(tuple, joint_readings([4] * size).tolist()))
    answers = run_on(problem, parse_term("sum(xs)"), columns)
    assert answers is not None
    assert answers[:whole].tolist() == [sum(xs) for xs in first]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"a": INT}, "expected images"),
        ({"a": IMAGE, "b": parse_type("image[3, 3, 1]")}, "images of one size"),
        ({}, "at least one input"),
    ],
)
def test_inputs_that_cannot_be_read_are_named(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        look_at(inputs)


def test_answers_of_another_type_are_refused() -> None:
    look: Look = look_at({"a": IMAGE})
    with pytest.raises(InputError, match="whole numbers or true and false"):
        reading_problem(look, {"a": blank(2)}, column_from([0.5, 1.5], parse_type("real")), 4)
