"""Fitting terms bottom-up: no leak, no dependence on order, the same result again."""

from __future__ import annotations

import numpy as np
import pytest

import meristem.modules
import meristem.primitives  # noqa: F401
from meristem.errors import TypeMismatch
from meristem.language.terms import Lambda, Variable, call, module
from meristem.modules.blend import values_of
from meristem.training import Examples, FitFailed, cross_fit, fit_term, split
from meristem.types import REAL, class_of, option_of, vector_of
from meristem.values import Dense, Options, Rows, Scalars

X = Variable("x")


def numbers(n: int = 200, seed: int = 0) -> Examples:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    return Examples({"x": Dense(vector_of(3), x)}, Scalars(REAL, x[:, 0] + rng.normal(0, 0.1, n)))


def test_held_out_rows_are_never_fitted() -> None:
    """Answers that are pure noise cannot be predicted; a leak would show as a loss below their variance."""
    rng = np.random.default_rng(0)
    n = 300
    x = Dense(vector_of(40), rng.normal(size=(n, 40)))
    y = rng.normal(size=n)
    examples = Examples({"x": x}, Scalars(REAL, y))
    stacked = module("ridge", call("concat", X, module("rbf", X)))
    done = cross_fit(stacked, examples, split(examples, rng), seed=0)
    assert np.mean((values_of(done.output) - y) ** 2) > 0.95 * y.var()


def test_a_supervised_part_passes_on_out_of_fold_outputs() -> None:
    """Boosted trees know their own training answers by heart. A blend above them must not take that for skill."""
    rng = np.random.default_rng(1)
    n = 300
    y = rng.integers(0, 2, n)
    good = (y * 2 - 1) * 0.6 + rng.normal(size=n)
    x = np.column_stack([good, rng.normal(size=(n, 8))])
    type_ = class_of("a", "b")
    examples = Examples({"x": Dense(vector_of(9), x)}, Scalars(type_, y))
    memorizer = module("boost", X, leaves=60, least=1, rate=0.3, rounds=200)
    honest = module("logistic", X, l2=0.01)
    term = module("blend", memorizer, honest)
    fit = fit_term(term, examples, seed=0).fit
    assert fit[term.slot]["weights"][0] < 0.5  # with leaked outputs it would be 1


def test_the_same_seed_gives_the_same_fit() -> None:
    term = module("ridge", module("rbf", X, landmarks=20))
    first, second, other = (fit_term(term, numbers(), seed=s).fit for s in (3, 3, 4))
    slot = module("rbf", X, landmarks=20).slot
    np.testing.assert_array_equal(first[slot]["landmarks"], second[slot]["landmarks"])
    assert not np.array_equal(first[slot]["landmarks"], other[slot]["landmarks"])


def test_equal_modules_share_one_fit() -> None:
    shared = module("standardize", X)
    term = module("blend", module("ridge", shared), module("boost", shared, rounds=5))
    assert len(fit_term(term, numbers(), seed=0).fit) == 4


def test_known_fits_are_kept() -> None:
    term = module("ridge", module("standardize", X))
    slot = module("standardize", X).slot
    known = {slot: {"mean": np.full(3, 7.0), "scale": np.ones(3)}}
    assert fit_term(term, numbers(), seed=0, known=known).fit[slot]["mean"][0] == 7.0


def test_a_term_without_a_value_on_some_row_says_so() -> None:
    kinds = Rows({"a": Options(np.array([True, False]), Scalars(option_of(REAL).item, np.array([1.0])))}, 2)
    examples = Examples({"row": kinds}, Scalars(REAL, np.array([1.0, 2.0])))
    term = module(
        "ridge", call("concat", module("impute", Variable("row")), module("impute", Variable("nothing")))
    )
    with pytest.raises(TypeMismatch, match="nothing"):
        fit_term(term, examples, seed=0)
    assert FitFailed.__mro__


def test_modules_inside_functions_are_refused() -> None:
    term = call("map", Lambda(("v",), module("standardize", Variable("v"))), X)
    with pytest.raises(TypeMismatch, match="gradients"):
        fit_term(term, numbers(), seed=0)


@pytest.mark.parametrize("n", [10, 30, 600, 30_000, 70_000])
def test_splits_cover_each_row_once(n: int) -> None:
    rng = np.random.default_rng(0)
    y = Scalars(class_of("a", "b"), (rng.random(n) < 0.1).astype(np.int64))
    examples = Examples({"x": Scalars(REAL, rng.normal(size=n))}, y)
    splits = split(examples, rng)
    seen = np.concatenate([held for _, held in splits.pairs()])
    assert len(np.unique(seen)) == len(seen)
    np.testing.assert_array_equal(np.sort(seen), splits.covered)
    for keep, held in splits.pairs():
        assert not np.intersect1d(keep, held).size
        if n >= 600:  # classes keep their shares
            assert abs(y.data[held].mean() - y.data.mean()) < 0.01
    assert splits.mode == ("holdout" if n == 70_000 else "folds")


def test_groups_stay_whole() -> None:
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 30, 400)
    examples = Examples(
        {"x": Scalars(REAL, rng.normal(size=400))}, Scalars(REAL, rng.normal(size=400)), None, groups
    )
    for keep, held in split(examples, rng).pairs():
        assert not np.intersect1d(groups[keep], groups[held]).size


def test_ordered_rows_are_predicted_from_earlier_ones() -> None:
    splits = split(numbers(), np.random.default_rng(0), ordered=True)
    pairs = list(splits.pairs())
    assert len(pairs) >= 3
    for keep, held in pairs:
        assert keep.max() < held.min()
    assert splits.covered.min() == len(pairs[0][0])


def test_examples_travel() -> None:
    rng = np.random.default_rng(0)
    examples = numbers()
    full = Examples(examples.inputs, examples.target, rng.random(200), rng.integers(0, 5, 200))
    again = Examples.decode(*full.encode())
    np.testing.assert_array_equal(again.inputs["x"].data, full.inputs["x"].data)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(again.weights, full.weights)  # type: ignore[arg-type]
    np.testing.assert_array_equal(again.groups, full.groups)  # type: ignore[arg-type]
