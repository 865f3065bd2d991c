"""Training perception inside of exact programs, from final answers only."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from glance_reader import IMAGE, drawn_digits, over_list, reading

from meristem.errors import InputError
from meristem.language.interpreter import evaluate
from meristem.language.terms import modules_of
from meristem.language.text import parse_term
from meristem.training.lifted import (
    Plans,
    Recipe,
    answer_probabilities,
    concrete_answers,
    shapes_of,
    split_term,
    train_lifted,
)
from meristem.training.rows import Examples
from meristem.types import INT
from meristem.values import Lists, Scalars, offsets_from

pytest.importorskip("torch")
FAST = Recipe(images=32, peak=0.05)


def lists(
    meaning: Any, count: int, lengths: tuple[int, int] = (1, 4), seed: int = 0, classes: int = 4
) -> Examples:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(lengths[0], lengths[1] + 1, count)
    offsets = offsets_from(sizes)
    codes = rng.integers(0, classes, offsets[-1])
    answers = [meaning(codes[a:b]) for a, b in itertools.pairwise(offsets)]
    return Examples({"xs": Lists(offsets, drawn_digits(codes, rng))}, Scalars(INT, np.array(answers)))


def trained(body: str, data: Examples, **more: Any) -> Any:
    settings = {"steps": 150, "recipe": FAST, **more}
    return train_lifted(over_list(body), data, rng=np.random.default_rng(1), **settings)


def test_digits_are_learned_from_sums() -> None:
    data, held = lists(sum, 400), lists(sum, 200, (5, 8), seed=1)
    found = trained("sum(DIGITS)", data, validation=held)
    assert found.accuracy > 0.93
    assert found.loss < 0.35 < found.entropy
    assert not found.learned_nothing
    assert found.exact
    assert found.whole
    assert len(found.losses) == 150
    # The program itself, run with these arrays on longer lists than it was trained on, says the same.
    term = over_list("sum(DIGITS)")
    assert set(found.fit) == {node.slot for node in modules_of(term)}
    answers = evaluate(term, dict(held.inputs), found.fit, target=INT).column
    assert float(np.mean(np.array(answers.to_list()) == held.target.data)) == pytest.approx(found.accuracy)


@pytest.mark.parametrize("body", ["max(DIGITS)", "length(filter(d => d == 2, DIGITS))"])
def test_other_programs_teach_too(body: str) -> None:
    meaning = {"max(DIGITS)": max}.get(body, lambda d: int((d == 2).sum()))
    found = trained(body, lists(meaning, 400), validation=lists(meaning, 200, (3, 3), seed=2))
    assert found.accuracy > 0.9


def test_two_images_and_a_condition() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (500, 2))
    answers = np.where(codes[:, 0] < 2, codes.sum(axis=1), codes[:, 1] * 10)
    data = Examples(
        {"a": drawn_digits(codes[:, 0], rng), "b": drawn_digits(codes[:, 1], rng)}, Scalars(INT, answers)
    )
    a, b = reading("a"), reading("b")
    term = parse_term(f"if {a} < 2 then {a} + {b} else {b} * 10")
    found = train_lifted(term, data, rng=rng, steps=200, recipe=FAST, validation=data)
    assert len(found.fit) == 1
    assert found.accuracy > 0.95


def test_equal_seeds_give_equal_arrays() -> None:
    data = lists(sum, 60)
    one, two = (trained("sum(DIGITS)", data, steps=20) for _ in range(2))
    other = train_lifted(over_list("sum(DIGITS)"), data, rng=np.random.default_rng(2), steps=20, recipe=FAST)
    for slot, arrays in one.fit.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, two.fit[slot][name])
            assert not np.array_equal(array, other.fit[slot][name]) or name == "bias"
    np.testing.assert_array_equal(one.losses, two.losses)


def test_parts_start_warm_and_stay_frozen() -> None:
    data = lists(sum, 300)
    first = trained("sum(DIGITS)", data)
    (slot,) = first.fit
    warm = trained("max(DIGITS)", lists(max, 40), steps=3, init=first.fit)
    cold = trained("max(DIGITS)", lists(max, 40), steps=3)
    assert warm.losses[0] < cold.losses[0] / 2
    frozen = trained("max(DIGITS)", lists(max, 40), init=first.fit, frozen=[slot], validation=lists(max, 100))
    assert len(frozen.losses) == 0
    assert frozen.accuracy > 0.9
    np.testing.assert_array_equal(frozen.fit[slot]["weight"], first.fit[slot]["weight"])
    with pytest.raises(InputError, match="arrays to start from"):
        trained("max(DIGITS)", data, frozen=[slot])


def test_a_new_head_on_frozen_features() -> None:
    body = "glance{; class[4]}@head(glance{; vector[6]}@features(x))"
    term = parse_term(f"sum(map(x => parse_int(label({body})), xs))")
    features = next(m.slot for m in modules_of(term) if m.label == "features")
    init = {features: {"weight": np.eye(6, dtype=np.float32), "bias": np.zeros(6, np.float32)}}
    found = train_lifted(
        term,
        lists(sum, 300),
        rng=np.random.default_rng(0),
        steps=150,
        recipe=FAST,
        init=init,
        frozen=[features],
        validation=lists(sum, 100, seed=4),
    )
    assert found.accuracy > 0.9
    np.testing.assert_array_equal(found.fit[features]["weight"], np.eye(6))


def test_labels_that_no_reading_gives() -> None:
    data = lists(sum, 50)
    wrong = Examples(data.inputs, Scalars(INT, np.asarray(data.target.data) + 100))
    with pytest.raises(InputError, match="none of the 50 labels"):
        trained("sum(DIGITS)", wrong)
    some = np.array(data.target.data)
    some[:5] = 100
    found = trained("sum(DIGITS)", Examples(data.inputs, Scalars(INT, some)), steps=5)
    assert found.impossible == 5


def test_a_wrong_program_learns_nothing() -> None:
    rng = np.random.default_rng(0)
    data = lists(sum, 300, (2, 2))
    random = Examples(data.inputs, Scalars(INT, rng.integers(0, 7, 300)))
    assert trained("sum(DIGITS)", random).learned_nothing


def test_training_can_be_ended() -> None:
    data = lists(sum, 100)
    seen: list[int] = []

    def watch(step: int, loss: float) -> bool:
        seen.append(step)
        return step < 6

    found = trained("sum(DIGITS)", data, watch=watch)
    assert seen == list(range(7))
    assert not found.whole
    late = trained("sum(DIGITS)", data, deadline=0.0)
    assert len(late.losses) == 0
    assert not late.whole
    easy = trained("sum(DIGITS)", data, validation=data, goal=0.5, steps=400)
    assert len(easy.losses) < 400


def test_beyond_diagrams_it_still_learns() -> None:
    term = over_list("sum(DIGITS)")
    split = split_term(term, {"xs": lists(sum, 1).inputs["xs"].type})

    class NoDiagrams(Plans):
        def diagram(self, group: Any, variables: Any) -> None:
            return None

    found = train_lifted(
        split,
        lists(sum, 300, (2, 4)),
        rng=np.random.default_rng(0),
        steps=120,
        recipe=FAST,
        plans=NoDiagrams(split),
        validation=lists(sum, 100, (4, 4), seed=6),
    )
    assert not found.exact
    assert found.lost_mass < 0.5
    assert found.accuracy > 0.9


def test_other_inputs_than_images_belong_to_the_shape() -> None:
    rng = np.random.default_rng(0)
    codes, factor = rng.integers(0, 4, 300), rng.integers(1, 4, 300)
    data = Examples({"a": drawn_digits(codes, rng), "n": Scalars(INT, factor)}, Scalars(INT, codes * factor))
    term = parse_term(f"{reading('a')} * n")
    found = train_lifted(term, data, rng=rng, steps=150, recipe=FAST, validation=data)
    assert found.accuracy > 0.9


def test_the_distribution_of_answers() -> None:
    term = over_list("sum(DIGITS)")
    found = trained("sum(DIGITS)", lists(sum, 300))
    split = split_term(term, {"xs": lists(sum, 1).inputs["xs"].type})
    few = lists(sum, 60, (0, 12), seed=3)  # the longest are beyond a table
    chances = answer_probabilities(split, few.inputs, found.fit)
    answers = evaluate(term, dict(few.inputs), found.fit, target=INT).column.to_list()
    best = []
    for chance, length in zip(chances, few.inputs["xs"].lengths.tolist(), strict=True):
        assert chance is not None
        assert sum(chance.values()) == pytest.approx(1.0, abs=1e-6)
        assert len(chance) == 3 * length + 1
        best.append(max(chance, key=chance.__getitem__))
    assert np.mean(np.array(best) == np.array(answers)) > 0.9


def test_empty_lists_are_examples_too() -> None:
    data = lists(sum, 200, (0, 3))
    assert (data.inputs["xs"].lengths == 0).any()
    found = trained("sum(DIGITS)", data, validation=data)
    assert found.accuracy > 0.9
    none = lists(lambda d: 0, 5, (0, 0))
    empty = trained("sum(DIGITS)", none, steps=3, validation=none)
    assert empty.losses == pytest.approx([0, 0, 0], abs=1e-5)
    assert empty.accuracy == 1.0


def test_shapes_keep_examples_and_images_together() -> None:
    rng = np.random.default_rng(0)
    sizes = np.array([2, 0, 3, 2])
    codes = rng.integers(0, 4, 7)
    column = Lists(offsets_from(sizes), drawn_digits(codes, rng)).take(np.array([3, 1, 0, 2]))
    split = split_term(over_list("DIGITS"), {"xs": column.type})
    shapes = shapes_of(split, {"xs": column})
    assert [group.values["xs"] for group in shapes.groups] == [[0, 1], [], [0, 1, 2]]
    assert [group.rows.tolist() for group in shapes.groups] == [[0, 2], [1], [3]]
    assert shapes.pools[0].type == IMAGE
    best = np.eye(4)[shapes.pools[0].data.reshape(-1, 6)[:, :4].argmax(axis=1)]
    answers, failures = concrete_answers(split, shapes, [best], [{0: 0}])
    assert not failures.any()
    given = [codes[5:7].tolist(), [], codes[0:2].tolist(), codes[2:5].tolist()]
    assert answers.to_list() == given
