"""Choosing among programs that all fit: which one do most of the others, weighed by likelihood, agree with?

A program of `bits` has the mass `2 ** -bits`. On inputs without answers each program says something; the chosen
one has the largest expected agreement: the mean, over these inputs, of the mass of the programs that say the same
(minimum Bayes risk), less for a longer program. A program that has no value for an input agrees with none there.
Where one program has most of the mass it is chosen whatever the others say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meristem.errors import MeristemError, ResourceError
from meristem.language.interpreter import prepare
from meristem.language.terms import Term
from meristem.types import Type
from meristem.values import Column, hashable

_FUEL = 50_000
_FAILS = -1
_MOST_WEIGHT = 64.0
_DOUBT = 0.25  # of the bits that a program is longer, by how many its agreement has to be larger


@dataclass(frozen=True)
class Agreement:
    """How programs agree on inputs without answers.

    Args:
        best: The position of the chosen program.
        mass: The share of each program [P], they sum to 1.
        says: What each program says on each input [P, M]: equal numbers where they say the same, -1 where they fail.
        share: The expected agreement with the chosen one, 0 to 1; 1 where there is no input to ask.
    """

    best: int
    mass: NDArray[np.float64]
    says: NDArray[np.int64]
    share: float


def answers_by(terms: Sequence[Term], inputs: Mapping[str, Column], result: Type) -> NDArray[np.int64]:
    """What each program says on each input [P, M]: equal numbers where they say the same, -1 where they fail.

    Args:
        terms: Programs.
        inputs: Inputs without answers, a column [M] each; M may be 0.
        result: The type of the answers.
    """
    count = len(next(iter(inputs.values()))) if inputs else 0
    says = np.full((len(terms), count), _FAILS, np.int64)
    known: list[dict[object, int]] = [{} for _ in range(count)]
    types = {name: column.type for name, column in inputs.items()}
    for k, term in enumerate(terms if count else ()):
        for i, value in enumerate(answers(term, inputs, types, result)):
            if value is not None:
                says[k, i] = known[i].setdefault(value[0], len(known[i]))
    return says


def agree(
    says: NDArray[np.int64],
    bits: Sequence[float],
    weights: NDArray[np.float64] | None = None,
    chosen: int | None = None,
) -> Agreement:
    """Which of the programs agrees best with the others.

    Args:
        says: What they say, [P, M], as `answers_by` gives it; the likeliest program first.
        bits: Their description lengths [P].
        weights: How much each input counts, [M]; all the same where left out. Inputs for which no program has a value
            do not count.
        chosen: The position of the program that was chosen already; its agreement is measured.
    """
    lengths = np.asarray(bits, np.float64)
    mass = np.exp2(-np.minimum(lengths - lengths.min(), 1000.0))
    mass /= mass.sum()
    agreed = np.zeros(says.shape)
    for i in range(says.shape[1]):
        column = says[:, i]
        valid = column >= 0
        if valid.any():
            agreed[valid, i] = np.bincount(column[valid], mass[valid])[column[valid]]
    counted = (says >= 0).any(axis=0) * (1.0 if weights is None else weights)
    if not counted.any():
        return Agreement(chosen or 0, mass, says, 1.0)
    share = agreed @ counted / counted.sum()
    # Of many thresholds that all fit, something between them agrees with most, and nobody means it: a program less
    # likely than others has to agree the better for it. Of equals the first, the likeliest, is taken.
    score = np.round(share * np.exp2(-_DOUBT * (lengths - lengths.min())), 12)
    best = int(np.argmax(score)) if chosen is None else chosen
    return Agreement(best, mass, says, float(share[best]))


def answers(
    term: Term, inputs: Mapping[str, Column], types: Mapping[str, Type], result: Type
) -> list[tuple[object] | None]:
    """What a program says for each row of inputs, as values that can be compared; None where it fails."""
    count = len(next(iter(inputs.values())))
    try:
        done = prepare(term, types, target=result, result=result).run(inputs, fuel=_FUEL)
    except ResourceError:
        return [None] * count
    except MeristemError:
        return [None] * count
    values = done.column.to_list()
    failed = done.failures.tolist()
    return [None if bad else (_rounded(value),) for value, bad in zip(values, failed, strict=True)]


def _rounded(value: object) -> object:
    """A value as a key; reals to nine digits, so that rounding errors tell no programs apart."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, list):
        return tuple(map(_rounded, value))
    if isinstance(value, tuple):
        return ("pair", *map(_rounded, value))
    if isinstance(value, dict):
        return frozenset((_rounded(k), _rounded(v)) for k, v in value.items())
    return hashable(value)


def input_weights(further: int, gentle: int, wild: int) -> NDArray[np.float64]:
    """Weights of inputs that the user gave, then of gently made-up ones, then of wild ones.

    A made-up input may be one that never comes, the more so a wild one, and what a program says there matters less:
    all made-up ones together count half as much as all that were given.
    """
    weights = np.concatenate([np.ones(further), np.ones(gentle), np.full(wild, 0.5)])
    if further and gentle + wild:
        weights[further:] *= 0.5 * min(further, _MOST_WEIGHT) / weights[further:].sum()
    return weights


__all__ = ["Agreement", "agree", "answers", "answers_by", "input_weights"]
