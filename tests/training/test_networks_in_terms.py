"""Networks inside of terms that are fitted bottom-up: features and heads, frozen parts, named parts."""

from __future__ import annotations

import numpy as np
import pytest

import meristem.modules
import meristem.primitives  # noqa: F401
from glyphs import glyphs
from meristem.errors import TypeMismatch
from meristem.language import modules_of, parse_term
from meristem.training import Examples, fit_term
from meristem.types import BOOL, Type, class_of
from meristem.values import Dense, Dists, Scalars

FIVE = class_of(*"01234")
IMAGE = Type("image", params=(12, 12, 1))


def examples(count: int, seed: int, of: tuple[int, ...] = (0, 1, 2, 3, 4)) -> Examples:
    pixels, labels = glyphs(count, np.random.default_rng(seed))
    rows = np.flatnonzero(np.isin(labels, of))
    x = Dense(IMAGE, pixels[rows][..., None] / np.float32(255))
    return Examples({"x": x}, Scalars(FIVE, labels[rows]))


def hits(held: object, truth: Scalars) -> float:
    data = held.probabilities.argmax(axis=1) if isinstance(held, Dists) else getattr(held, "data")  # noqa: B009
    return float((data == truth.data).mean())


@pytest.mark.parametrize(
    "text", ["ridge_head(convnet{; vector[_]}(x))", "nearest_mean(convnet{; vector[96]}(x))", "convnet(x)"]
)
def test_heads_over_features(text: str) -> None:
    train, held = examples(200, 0), examples(200, 1)
    trained = fit_term(parse_term(text), train, seed=0, held=held)
    assert isinstance(held.target, Scalars)
    assert hits(trained.held, held.target) > 0.95


def test_a_frozen_part_needs_few_labels() -> None:
    """What was learned on three signs serves for two others, of which there are three labels each."""
    reader = parse_term("convnet{; vector[96]}@sign(x)")
    old = examples(300, 0, of=(0, 1, 2))
    before = fit_term(reader, old, seed=0).fit
    (slot,) = before
    few, held = examples(15, 3, of=(3, 4)), examples(300, 1, of=(3, 4))
    assert len(few) <= 8
    term = parse_term("ridge_head(convnet{; vector[96]}@sign(x))")
    trained = fit_term(term, few, seed=0, held=held, known={slot: before[slot]})
    for name, array in before[slot].items():
        np.testing.assert_array_equal(trained.fit[slot][name], array)
    assert isinstance(held.target, Scalars)
    assert hits(trained.held, held.target) > 0.8


def test_a_part_in_two_places_is_not_fitted_twice() -> None:
    term = parse_term("equal(convnet{; bool}@sign(x), convnet{; bool}@sign(y))")
    assert len({node.slot for node in modules_of(term)}) == 1
    rows = examples(20, 0)
    both = Examples({"x": rows.inputs["x"], "y": rows.inputs["x"]}, Scalars(BOOL, np.arange(20) < 10))
    with pytest.raises(TypeMismatch, match="'sign' stands over several arguments"):
        fit_term(term, both, seed=0)
